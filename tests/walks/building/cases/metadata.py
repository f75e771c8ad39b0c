"""What only the config tells: ports, commands, health, triggers, directories and users."""

from tests.walks.building.case import Case
from tests.walks.building.context import File

CASES = [
    Case(name="workdir-makes-directories", dockerfile="""
FROM base:1
WORKDIR /a/b/c
WORKDIR d
WORKDIR ../e
WORKDIR /
WORKDIR /srv/tree
"""),
    Case(name="workdir-forms", dockerfile="""
FROM base:1
WORKDIR /a//b/./c/../d/
WORKDIR "quoted dir"
RUN pwd > /p1
"""),
    Case(name="workdir-through-link", dockerfile="""
FROM base:1
WORKDIR /srv/absolute/made
RUN pwd > /seen
"""),
    Case(name="workdir-is-a-file", dockerfile="""
FROM base:1
WORKDIR /etc/passwd
RUN true
"""),
    Case(name="workdir-after-user", dockerfile="""
FROM base:1
USER alice
WORKDIR /new/deep
RUN ls -ld /new > /dev/null
""", peers=("buildkit", "classic")),
    Case(name="workdir-keeps-what-is-there", dockerfile="""
FROM base:1
RUN mkdir -m 700 /w && chown 5:6 /w
USER alice
WORKDIR /w
"""),
    Case(name="workdir-default", files={"a": "1"}, dockerfile="""
FROM base:1
COPY a .
RUN pwd > /p
"""),
    Case(name="workdir-on-scratch", files={"a": "1"}, dockerfile="""
FROM scratch
WORKDIR /w/v
COPY a .
"""),
    Case(name="user-forms", dockerfile="""
FROM base:1
USER nosuch:group
USER 5:6
USER alice:staff
"""),
    Case(name="expose-forms", dockerfile="""
FROM base:1
EXPOSE 80
EXPOSE 443/tcp 53/udp 80
EXPOSE 7000-7003/tcp 9/sctp
EXPOSE 81/TCP
"""),
    Case(name="expose-bad", dockerfile="""
FROM base:1
EXPOSE 70000
"""),
    Case(name="expose-variable-with-several", dockerfile="""
FROM base:1
ENV PORTS="1 2/udp"
EXPOSE $PORTS
""", peers=("buildkit", "classic")),
    Case(name="volume-forms", dockerfile="""
FROM base:1
VOLUME /a /b/c
VOLUME ["/d e"]
VOLUME /a
"""),
    Case(name="volume-is-no-directory", dockerfile="""
FROM base:1
VOLUME /fresh
"""),
    Case(name="volume-writes-are-kept", dockerfile="""
FROM base:1
RUN mkdir /v && echo before > /v/a
VOLUME /v
RUN echo after > /v/b && rm /v/a
""", peers=("buildkit",)),
    Case(name="command-forms", dockerfile="""
FROM base:1
CMD echo "hello  world" $HOME
ENTRYPOINT ["/bin/x", "-a"]
"""),
    Case(name="entrypoint-clears-inherited-command", dockerfile="""
FROM base:1
ENTRYPOINT ["x"]
"""),
    Case(name="entrypoint-keeps-own-command", dockerfile="""
FROM base:1
CMD ["own"]
ENTRYPOINT ["x"]
"""),
    Case(name="entrypoint-in-second-stage", dockerfile="""
FROM base:1 AS one
CMD ["one"]
FROM one
ENTRYPOINT ["x"]
"""),
    Case(name="command-twice", dockerfile="""
FROM base:1
CMD ["a"]
CMD ["b"]
ENTRYPOINT a
ENTRYPOINT b
"""),
    Case(name="stopsignal-forms", dockerfile="""
FROM base:1
STOPSIGNAL SIGTERM
STOPSIGNAL 9
"""),
    Case(name="stopsignal-bad", dockerfile="""
FROM base:1
STOPSIGNAL SIGNOTHING
""", peers=("buildkit", "classic")),
    Case(name="healthcheck-forms", dockerfile="""
FROM base:1
HEALTHCHECK --interval=1m30s --timeout=5s --start-period=10s --retries=4 \\
    CMD curl -f http://localhost/ || exit 1
"""),
    Case(name="healthcheck-exec-form", dockerfile="""
FROM base:1
HEALTHCHECK CMD ["a", "b c"]
"""),
    Case(name="healthcheck-none", dockerfile="""
FROM base:1
HEALTHCHECK CMD x
HEALTHCHECK NONE
"""),
    Case(name="healthcheck-bad-interval", dockerfile="""
FROM base:1
HEALTHCHECK --interval=x CMD y
"""),
    Case(name="healthcheck-in-shell", dockerfile="""
FROM base:1
SHELL ["/bin/x", "-c"]
HEALTHCHECK CMD a b
"""),
    Case(name="maintainer", dockerfile="""
FROM base:1
MAINTAINER Some Body <some@example.org>
"""),
    Case(name="shell-not-json", dockerfile="""
FROM base:1
SHELL /bin/sh -c
"""),
    Case(name="onbuild-is-recorded", dockerfile="""
FROM base:1
ONBUILD RUN echo $A > /x
ONBUILD COPY . /app
onbuild env A=1
"""),
    Case(name="onbuild-triggers-in-next-stage", files={"a": "1"}, dockerfile="""
FROM base:1 AS parent
ONBUILD ENV A=trigger
ONBUILD COPY a /app/
ONBUILD RUN echo $A > /t
RUN echo parent > /p
FROM parent
RUN echo "$A" > /own && cat /app/a > /copied
"""),
    Case(name="onbuild-with-args", dockerfile="""
FROM base:1 AS parent
ONBUILD ARG V=1
ONBUILD RUN echo $V > /v
FROM parent
RUN echo "own $V" > /w
""", arguments={"V": "2"}),
    Case(name="onbuild-is-not-inherited", dockerfile="""
FROM base:1 AS parent
ONBUILD RUN echo x >> /x
FROM parent AS child
RUN echo y >> /x
FROM child
RUN echo z >> /x
"""),
    Case(name="onbuild-of-onbuild", dockerfile="""
FROM base:1
ONBUILD ONBUILD RUN true
"""),
    Case(name="onbuild-from", dockerfile="""
FROM base:1
ONBUILD FROM base:1
"""),
    Case(name="labels-from-the-command", options=("--label", "a=command", "--label", "c=d"), dockerfile="""
FROM base:1
LABEL a=file b=file
"""),
    Case(name="a-usual-application", files={
        ".dockerignore": "*.pyc\n.git\nnode_modules\n", ".git/config": "x",
        "app/main.py": "print()", "app/main.pyc": "x",
        "run.sh": File("#!/bin/sh\nexec \"$@\"\n", mode=0o755), "requirements.txt": "a==1\n",
    }, dockerfile="""
ARG VERSION=1
FROM base:${VERSION} AS build
WORKDIR /src
COPY requirements.txt ./
RUN mkdir /deps && sort requirements.txt > /deps/list
COPY . .
RUN find . -type f | sort > /deps/files

FROM base:${VERSION}
LABEL org.opencontainers.image.title="app" \\
      org.opencontainers.image.version="$VERSION"
ENV APP_HOME=/app PATH=/app/bin:$PATH
WORKDIR $APP_HOME
COPY --from=build --chown=alice:alice /deps ./deps
COPY --chown=alice run.sh /usr/bin/
USER alice
EXPOSE 8000
VOLUME ["/app/data"]
HEALTHCHECK --interval=30s CMD wget -q -O- http://127.0.0.1:8000/ || exit 1
ENTRYPOINT ["run.sh"]
CMD ["serve", "--port", "8000"]
"""),
]  # fmt: skip
