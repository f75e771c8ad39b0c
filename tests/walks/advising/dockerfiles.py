"""Bad Dockerfiles, each with the one thing that many get wrong, as busybox can play it."""

from __future__ import annotations

from dataclasses import dataclass, field

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Bad:
    """A Dockerfile without its FROM, its context, the kind of advice that it needs, and the bytes that it
    saves at least.
    """

    name: str
    dockerfile: str
    kind: str
    least: int
    files: dict[str, int] = field(default_factory=dict)  # sizes; behind a colon, in an archive
    hits: tuple[int, int] = (0, 0)  # steps that stay cached before and after, where the order is bad
    arguments: tuple[str, ...] = ()
    code: int = 0  # with which `--verify` ends


def _filled(path: str, megabytes: int) -> str:
    return f"yes {path}{megabytes} | head -c {megabytes << 20} > {path}"


WASTEFUL = (
    Bad("apt-lists", f"""
RUN mkdir -p /var/lib/apt/lists && {_filled("/var/lib/apt/lists/deb.example_Packages", 3)}
RUN {_filled("/opt-tool", 1)}
RUN rm -rf /var/lib/apt/lists/*
""", "cache-mount", 3 * MEGABYTE),
    Bad("chown-after-copy", """
RUN mkdir -p /etc && echo 'app:x:1500:1500::/:/bin/sh' > /etc/passwd && echo 'app:x:1500:' > /etc/group
COPY app /app
RUN chown -R app:app /app
USER app
""", "copy-attributes", 3 * MEGABYTE, {"app/main": 2 * MEGABYTE, "app/lib/part": MEGABYTE}),
    Bad("chmod-after-copy", """
COPY tool.bin /usr/local/bin/tool
RUN chmod +x /usr/local/bin/tool && echo done > /done
""", "copy-attributes", 2 * MEGABYTE, {"tool.bin": 2 * MEGABYTE}),
    Bad("chown-and-chmod-after-copy", """
COPY data /data
LABEL a=b
RUN chown -R 33:33 /data && \\
    chmod -R 0750 /data
""", "copy-attributes", 2 * MEGABYTE, {"data/one": MEGABYTE, "data/sub/two": MEGABYTE}),
    Bad("delete-in-later-run", f"""
RUN mkdir /build && {_filled("/build/objects", 3)}
ENV MODE=fast
RUN cp /build/objects /program
RUN rm -rf /build
CMD ["/program"]
""", "merge-runs", 3 * MEGABYTE),
    Bad("node-modules-in-the-context", """
RUN printf 'mkdir -p node_modules/right && echo x > node_modules/right/pad.js' > /bin/npm && chmod +x /bin/npm
WORKDIR /app
COPY . .
RUN npm ci && chown -R 7:7 /app
""", "dockerignore", 4 * MEGABYTE, {"index.js": 1000, "node_modules/left/pad.js": 2 * MEGABYTE}),
    Bad("git-in-the-context", """
COPY . /src/
""", "dockerignore", 2 * MEGABYTE, {"main.c": 1000, ".git/objects/pack/a.pack": 2 * MEGABYTE}),
    Bad("pip-cache", f"""
RUN mkdir -p /root/.cache/pip/http && {_filled("/root/.cache/pip/http/wheel", 3)} && {_filled("/site", 1)}
""", "cache-mount", 3 * MEGABYTE),
    Bad("npm-cache", f"""
RUN mkdir -p /root/.npm/_cacache && {_filled("/root/.npm/_cacache/blob", 2)} && echo x > /modules
""", "cache-mount", 2 * MEGABYTE),
    Bad("duplicate-copy", """
COPY assets /www/
COPY assets /www/
""", "duplicate-copy", 2 * MEGABYTE, {"assets/logo": 2 * MEGABYTE}),
    Bad("copy-again-behind-a-run", """
WORKDIR /app
COPY model.bin ./
RUN sha256sum model.bin > /sum
COPY . .
""", "duplicate-copy", 2 * MEGABYTE, {"model.bin": 2 * MEGABYTE, "main.py": 1000}),
    Bad("big-file-overwritten", f"""
RUN {_filled("/big", 3)}
RUN {_filled("/big", 1)}
""", "merge-runs", 3 * MEGABYTE),
    Bad("installer-copied-and-removed", """
COPY installer.tar /tmp/installer.tar
RUN head -c 1000 /tmp/installer.tar > /installed
RUN rm -f /tmp/installer.tar
""", "bind-mount", 2 * MEGABYTE, {"installer.tar": 2 * MEGABYTE}),
    Bad("chmod-then-moved", """
WORKDIR /srv
COPY app app
RUN chmod -R 755 /srv/app
RUN mv /srv/app /opt
""", "copy-attributes", 2 * MEGABYTE, {"app/data": 2 * MEGABYTE}),
    Bad("copied-then-moved", """
COPY app /tmp/app
RUN mv /tmp/app /opt && echo ready > /ready
""", "moved-copy", 3 * MEGABYTE, {"app/data": 2 * MEGABYTE, "app/lib/part": MEGABYTE}),
    Bad("one-file-copied-then-moved", """
WORKDIR /root
COPY tool.bin .
RUN mv tool.bin /bin/tool
RUN chmod 755 /bin/tool
""", "moved-copy", 2 * MEGABYTE, {"tool.bin": 2 * MEGABYTE}),
    Bad("owner-given-and-changed", """
COPY --chown=1:1 app /app
RUN chown -R 7:7 /app
""", "copy-attributes", 2 * MEGABYTE, {"app/data": 2 * MEGABYTE}),
    Bad("built-and-removed", """
COPY src /src
RUN cd /src && cp data object
RUN head -c 1000 /src/object > /bin/out
RUN rm -rf /src
""", "bind-mount", 4 * MEGABYTE, {"src/data": 2 * MEGABYTE}),
    Bad("several-copied-and-removed", """
WORKDIR /tmp
COPY a.deb b.deb ./
RUN head -c 1000 a.deb > /a && head -c 1000 b.deb > /b && rm *.deb
""", "bind-mount", 4 * MEGABYTE, {"a.deb": 2 * MEGABYTE, "b.deb": 2 * MEGABYTE}),
    Bad("tests-removed-behind-the-copy", """
WORKDIR /app
COPY . .
RUN rm -rf tests docs && echo ready > /ready
""", "dockerignore", 3 * MEGABYTE, {"main": 10, "tests/data": 2 * MEGABYTE, "docs/a/b": MEGABYTE}),
    Bad("part-of-one-of-two-copies-removed", """
COPY lib /lib1
COPY app /app
RUN rm -rf /app/tests
""", "dockerignore", 2 * MEGABYTE, {"lib/tests/a": 1000, "app/main": 10, "app/tests/data": 2 * MEGABYTE}),
    Bad("users-between-the-runs", f"""
RUN mkdir /data && {_filled("/data/big", 2)}
RUN chown -R 7 /data
USER 7
RUN id > /tmp/id
USER root
RUN rm -rf /data
""", "merge-runs", 2 * MEGABYTE),
    Bad("archive-unpacked-and-removed", """
ADD src.tar.gz /tmp/src/
RUN cp /tmp/src/out /bin/out
RUN rm -rf /tmp/src
""", "bind-mount", 2 * MEGABYTE, {"src.tar.gz:object": 2 * MEGABYTE, "src.tar.gz:out": 10}),
    Bad("lists-fetched-in-a-run-of-their-own", """
RUN echo 'case $1 in update) yes list | head -c 2200000 > /var/lib/apt/lists/l;; esac' > /bin/apt-get && \\
    echo 'case $1 in install) test -e /var/lib/apt/lists/l && echo $2 > /opt-$2;; esac' >> /bin/apt-get && \\
    chmod +x /bin/apt-get && mkdir -p /var/lib/apt/lists
RUN apt-get update
RUN apt-get install one
RUN apt-get install two && rm -rf /var/lib/apt/lists/* && apt-get clean
""", "cache-mount", 2 * MEGABYTE),
    Bad("records-are-no-reason-to-join", f"""
RUN mkdir -p /var/log /var/lib/dpkg && echo one > /var/log/dpkg.log && echo 1 > /var/lib/dpkg/status
RUN echo two >> /var/log/dpkg.log && echo 2 >> /var/lib/dpkg/status
RUN {_filled("/big", 2)}
RUN rm /big
""", "merge-runs", 2 * MEGABYTE),
    Bad("some-chowned", """
COPY app /app
RUN chown -R 33 /app/data /app/logs
""", "copy-attributes", 3 * MEGABYTE, {"app/data/a": 2 * MEGABYTE, "app/logs/b": MEGABYTE, "app/c": 1000}),
    Bad("two-copies-one-chown", """
COPY a /a
COPY b /b
RUN chown -R 5:5 /a /b
""", "copy-attributes", 3 * MEGABYTE, {"a/x": 2 * MEGABYTE, "b/y": MEGABYTE}),
    Bad("another-file-chmodded", """
COPY app /app
RUN chown -R 7:7 /app && echo new > /app/new && chmod 600 /app/new
""", "copy-attributes", 2 * MEGABYTE, {"app/a": 2 * MEGABYTE}),
    Bad("new-directories-keep-their-owner", """
COPY tool /opt/new/tool
RUN chown 5:5 /opt/new/tool
""", "copy-attributes", 2 * MEGABYTE, {"tool": 2 * MEGABYTE}),
    Bad("several-new-directories-with-an-owner", """
ENV DIR=/srv/www
COPY --chown=1000:1000 app $DIR/html
RUN chmod 600 $DIR/html/a $DIR/html/b
COPY --chmod=750 tool /run/new/tool
RUN echo more >> /run/new/tool
""", "copy-attributes", 3 * MEGABYTE, {"app/a": MEGABYTE, "app/b": MEGABYTE, "tool": MEGABYTE}),
    Bad("new-directories-above-changed", """
COPY --chown=1000:1000 app /home/app/src
RUN chmod -R 700 /home/app
""", "copy-attributes", 2 * MEGABYTE, {"app/a": MEGABYTE, "app/b": MEGABYTE}),
    Bad("user-made-with-the-chown", """
COPY . /app
WORKDIR /app
RUN echo app:x:9:9::/:/bin/sh >> /etc/passwd && chown -R app /app && chmod 700 /app/run && ln -s run go
""", "copy-attributes", 3 * MEGABYTE, {"run": MEGABYTE, "lib/data": 2 * MEGABYTE}),
    Bad("mode-given-and-changed-for-one", """
COPY --chmod=644 app /app
RUN chmod 755 /app/run
""", "copy-attributes", 2 * MEGABYTE, {"app/run": 2 * MEGABYTE, "app/other": 1000}),
    Bad("several-directories-in-one", """
COPY one two /data/
RUN chmod 700 /data/x
""", "copy-attributes", 2 * MEGABYTE, {"one/x": 2 * MEGABYTE, "two/y": 1000}),
    Bad("edited-behind-the-copy", """
ENV ETC=/etc/app
COPY conf ${ETC}
RUN echo more >> $ETC/big
""", "bind-mount", 2 * MEGABYTE, {"conf/big": 2 * MEGABYTE, "conf/small": 10}),
    Bad("renamed-by-a-pattern", """
COPY *.jar /app/
RUN mv /app/*.jar /app/app.jar
""", "bind-mount", 2 * MEGABYTE, {"x-1.0.jar": 2 * MEGABYTE}),
    Bad("part-of-a-stage-removed", f"""
RUN mkdir -p /out/tests && {_filled("/out/tests/data", 2)} && echo x > /out/program && chown -R 3 /out
FROM busybox:1
COPY --from=0 /out /app
RUN ls /app && rm -rf /app/tests
""", "bind-mount", 2 * MEGABYTE),
    Bad("copied-for-a-user", """
RUN mkdir -p /home/dev /etc && chown 1500 /home/dev && echo dev:x:1500:1500::/home/dev:/bin/sh >> /etc/passwd
USER dev
WORKDIR /home/dev
COPY --chown=dev main app/main
RUN echo ok > ok; echo x >> app/main
""", "bind-mount", 2 * MEGABYTE, {"main": 2 * MEGABYTE}),
    Bad("copied-twice-then-removed", """
COPY a /a
RUN head -c 5 /a > /b
COPY a /a
RUN echo x > /x; rm /a
""", "bind-mount", 2 * MEGABYTE, {"a": 2 * MEGABYTE}),
    Bad("built-in-what-the-same-run-removes", """
COPY src /s
RUN mkdir /s/build && cat /s/a > /s/build/o && gzip /s/a && cp /s/build/o /o && mv /s/a.gz / && rm -rf /s
""", "bind-mount", 2 * MEGABYTE, {"src/a": 2 * MEGABYTE}),
    Bad("directories-of-the-copy-stay", """
COPY one two /new/parts/
RUN cat /new/parts/* > /both; rm /new/parts/one /new/parts/two
""", "bind-mount", 2 * MEGABYTE, {"one": MEGABYTE, "two": MEGABYTE}),
    Bad("directory-of-the-copy-removed", """
COPY one /new/
RUN cp /new/one /two && rm /new/one && rmdir /new
""", "bind-mount", MEGABYTE, {"one": MEGABYTE}),
    Bad("made-executable-by-the-copy", """
COPY --chmod=755 --chown=7:8 run.sh /tmp/run.sh
RUN test -x /tmp/run.sh && cp -p /tmp/run.sh /o && rm /tmp/run.sh
""", "bind-mount", 2 * MEGABYTE, {"run.sh": 2 * MEGABYTE}),
    Bad("built-in-the-directory-of-a-copy", """
COPY src /s
WORKDIR /s
RUN mkdir build && touch build/begun
RUN test -e build/begun && cp a /o
WORKDIR /
RUN rm -rf /s
""", "bind-mount", 2 * MEGABYTE, {"src/a": 2 * MEGABYTE}),
    Bad("two-copies-to-one-place", """
COPY src /s
COPY big /s/
RUN cat /s/* > /o && rm -rf /s
""", "bind-mount", 3 * MEGABYTE, {"src/a": 2 * MEGABYTE, "big": MEGABYTE}),
    Bad("removed-and-made-again", """
COPY src /s
RUN cp /s/a /o && rm -rf /s && mkdir /s && echo new > /s/new
""", "bind-mount", 2 * MEGABYTE, {"src/a": 2 * MEGABYTE}),
    Bad("one-command-fails", """
COPY src /s
RUN ls /none; cp /s/a /o; rm -rf /s
""", "bind-mount", 2 * MEGABYTE, {"src/a": 2 * MEGABYTE}),
    Bad("linked-elsewhere", """
COPY big /first
RUN ln /first /second && rm /first
""", "bind-mount", 2 * MEGABYTE, {"big": 2 * MEGABYTE}),
    Bad("renamed-and-unpacked", """
COPY a.tar.gz /tmp/b.gz
RUN cd /tmp && gunzip b.gz && tar -xf b && rm -f b /tmp/b.gz
""", "bind-mount", 2 * MEGABYTE, {"a.tar.gz:object": 2 * MEGABYTE}),
    Bad("directories-between-the-runs", f"""
WORKDIR /b
RUN {_filled("x", 2)}
WORKDIR /c
RUN cp /b/x y
WORKDIR d
RUN rm /b/x ../y && pwd > z
""", "merge-runs", 4 * MEGABYTE),
    Bad("built-in-a-directory-that-goes", f"""
RUN mkdir /build && {_filled("/build/objects", 2)}
WORKDIR /build
RUN head -c 1000 objects > /program
WORKDIR /
RUN rm -rf /build
""", "merge-runs", 2 * MEGABYTE),
    Bad("volume-between-the-runs", f"""
RUN {_filled("/x", 2)}
VOLUME /v
HEALTHCHECK CMD true
RUN ["rm", "/x"]
""", "merge-runs", 2 * MEGABYTE),
    Bad("here-documents", f"""
RUN {_filled("/first", 1)}
RUN <<EOF
set -e
cd /tmp # which is there
rm /first
{_filled("second", 2)}
EOF
RUN sh <<END && rm /tmp/second # and away
pwd > /pwd
END
""", "merge-runs", 3 * MEGABYTE),
    Bad("cache-of-a-user", f"""
RUN mkdir -p /home/app && chown 1000:1000 /home/app
USER 1000:1000
RUN mkdir -p /home/app/.cache/pip && {_filled("/home/app/.cache/pip/wheel", 3)} && echo x > /home/app/site
""", "cache-mount", 3 * MEGABYTE),
)  # fmt: skip

MISORDERED = (
    Bad("sources-before-npm", """
RUN printf '#!/bin/sh\\ncat package.json > /modules\\n' > /bin/npm && chmod +x /bin/npm
WORKDIR /app
COPY . .
RUN npm ci
CMD ["node", "index.js"]
""", "order", 0, {"package.json": 100, "index.js": 1000}, hits=(2, 4)),
    Bad("sources-before-npm-whose-cache-is-cleaned", """
RUN printf '#!/bin/sh\\nmkdir -p ~/.npm; cat package.json | tee /m > ~/.npm/$1\\n' > /bin/npm && \\
    chmod +x /bin/npm
WORKDIR /app
COPY . .
RUN npm install
RUN npm cache clean --force
""", "order", 0, {"package.json": 100, "index.js": 1000}, hits=(2, 4)),
    Bad("sources-before-pip", """
RUN printf '#!/bin/sh\\ncat $3 > /site\\n' > /bin/pip && chmod +x /bin/pip
WORKDIR /app
COPY . /app
RUN pip install -r requirements.txt
RUN echo compiled > /compiled
""", "order", 0, {"requirements.txt": 100, "main.py": 1000}, hits=(2, 4)),
    Bad("sources-before-apk", """
RUN printf '#!/bin/sh\\necho $2 > /installed\\n' > /bin/apk && chmod +x /bin/apk
COPY src /src
RUN apk add curl
""", "order", 0, {"src/a.c": 100, "src/b.c": 1000}, hits=(1, 2)),
    Bad("commit-declared-first", """
ARG GIT_COMMIT=none
RUN echo tools > /tools
RUN echo more > /more
LABEL commit=$GIT_COMMIT
""", "order", 0, hits=(0, 2), arguments=("GIT_COMMIT=abc",)),
    Bad("sources-before-go-and-its-directory", """
RUN printf '#!/bin/sh\\ntest -e go.mod && cat go.* > /modules\\n' > /bin/go && chmod +x /bin/go
COPY . /src
WORKDIR /src
RUN go mod download
RUN cat main.go > /main
""", "order", 0, {"go.mod": 10, "go.sum": 10, "main.go": 1000}, hits=(1, 4)),
    Bad("installed-and-built-in-one-run", """
RUN printf '#!/bin/sh\\ncat package.json package-lock.json > /modules\\n' > /bin/npm && chmod +x /bin/npm
WORKDIR /app
COPY . .
RUN npm ci && cat src/a.js > dist.js
""", "order", 0, {"package.json": 10, "package-lock.json": 10, "src/a.js": 100}, hits=(2, 4)),
    Bad("requirements-in-a-directory", """
RUN printf '#!/bin/sh\\ncat $4 requirements/base.txt > /site\\n' > /bin/pip && chmod +x /bin/pip
WORKDIR /app
COPY . .
RUN pip install --no-cache-dir -r requirements/prod.txt
""", "order", 0, {"requirements/prod.txt": 10, "requirements/base.txt": 10, "main.py": 10}, hits=(2, 4)),
    Bad("a-part-of-the-context-is-a-project", """
RUN printf '#!/bin/sh\\ncat package.json > /modules\\n' > /bin/npm && chmod +x /bin/npm
WORKDIR /app
COPY . .
WORKDIR /app/web
RUN npm ci
""", "order", 0, {"web/package.json": 10, "web/a.js": 10, "api/main.go": 10}, hits=(2, 5)),
    Bad("sources-before-another-copy", """
RUN printf '#!/bin/sh\\ncat $3 > /site\\n' > /bin/pip && chmod +x /bin/pip
COPY src/ /app/src/
COPY requirements.txt /app/
WORKDIR /app
RUN pip install -r requirements.txt
""", "order", 0, {"requirements.txt": 10, "src/m.py": 10, "src/n.py": 10}, hits=(1, 4)),
    Bad("commit-in-a-label", """
ARG GIT_SHA=none
LABEL sha=$GIT_SHA
RUN echo tools > /tools
RUN echo more > /more
""", "order", 0, hits=(0, 2), arguments=("GIT_SHA=abc",)),
)  # fmt: skip

_BIG = "yes | head -c 50000 > /big"

# What looks as if it could be written otherwise, and is something else then: nothing is to be promised here
# that is not kept, and no file may differ.
TREACHEROUS = (
    Bad("mode-of-a-directory-that-was-given-away", """
RUN mkdir /srv
COPY a /srv/conf
RUN chmod 600 /srv/conf && chown 5 /srv
""", "copy-attributes", 20000, {"a": 20000}),
    Bad("mode-that-a-copy-took-along", """
COPY a /a
RUN cp /a /b && chmod 600 /a
""", "copy-attributes", 20000, {"a": 20000}),
    Bad("times-in-a-list", """
COPY a /a
RUN ls -l /a > /list; chmod 600 /a
""", "copy-attributes", 0, {"a": 20000}),
    Bad("variable-set-again", f"""
ENV V=1
RUN echo $V > /v; {_BIG}
ENV V=2
RUN rm /big
""", "merge-runs", 50000),
    Bad("path-set-between", f"""
RUN echo $PATH > /v; {_BIG}
ENV PATH=/opt/bin:$PATH
RUN rm /big
""", "merge-runs", 0),
    Bad("argument-in-a-name", """
ARG A=1
RUN yes | head -c 50000 > /y$A
ARG A=2
RUN rm /y1
""", "merge-runs", 50000),
    Bad("all-variables-written-down", f"""
RUN {_BIG}; env | sort > /env
ENV Z=1
RUN rm /big; env | sort > /env2
""", "merge-runs", 0),
    Bad("directory-made-before-the-copy", f"""
RUN mkdir /app && {_BIG}
COPY a /app/a
RUN rm /big
""", "merge-runs", 0, {"a": 10}),
    Bad("modes-of-all-that-is-there", f"""
RUN mkdir -p /app && touch /app/z && {_BIG} && chmod -R 700 /app
COPY a /app/a
RUN rm /big
""", "merge-runs", 0, {"a": 10}),
    Bad("list-of-all-that-is-there", f"""
RUN {_BIG}; find / -xdev -name 'a*' > /list
COPY a /a.txt
RUN rm /big
""", "merge-runs", 0, {"a": 10}),
    Bad("pattern-before-the-copy", f"""
RUN mkdir /opt && {_BIG} && echo /opt/* > /list
COPY a /opt/a
RUN rm /big
""", "merge-runs", 0, {"a": 10}),
    Bad("link-that-the-copy-follows", f"""
RUN mkdir /data && ln -s /data /app && {_BIG}
COPY a /app/a
RUN rm /big
""", "merge-runs", 0, {"a": 10}),
    Bad("mode-of-what-a-workdir-lies-in", f"""
RUN {_BIG} && mkdir /srv && chmod 700 /srv
WORKDIR /srv/app
RUN rm /big
""", "merge-runs", 50000),
    Bad("moved-to-the-place-of-a-mount", """
COPY dir /app
RUN cp -r /app /new && rm -rf /app
RUN mv /new /app
""", "bind-mount", 20000, {"dir/x": 20000, "dir/y": 5}),
    Bad("listed-behind-the-removal", """
COPY a /t/a
RUN touch /t/b; rm /t/a; ls /t > /list
""", "bind-mount", 20000, {"a": 20000}),
    Bad("directory-of-a-cache-removed", """
RUN mkdir -p /root/.cache/pip && yes | head -c 50000 > /root/.cache/pip/w && echo true > /bin/pip && \\
    chmod +x /bin/pip
RUN pip install x && rm -rf /root/.cache
""", "merge-runs", 50000),
    Bad("settings-beside-a-cache", """
COPY settings.xml /root/.m2/settings.xml
RUN printf 'mkdir -p /root/.m2/repository && yes | head -c 50000 > /root/.m2/repository/a' > /bin/mvn && \\
    echo ' && cp /root/.m2/settings.xml /out && echo more > /root/.m2/more' >> /bin/mvn && chmod +x /bin/mvn
RUN mvn package
""", "cache-mount", 50000, {"settings.xml": 10}),
    Bad("cache-that-a-later-run-copies", """
RUN printf 'mkdir -p /root/.npm/_cacache && yes | head -c 50000 > /root/.npm/_cacache/a' > /bin/npm && \\
    chmod +x /bin/npm
RUN npm install ms
RUN cp -r /root/.npm/_cacache /opt-cache
""", "cache-mount", 0),
    Bad("head-in-the-context", """
WORKDIR /app
COPY . .
RUN head -c 5 .git/HEAD > VERSION
""", "dockerignore", 0, {".git/HEAD": 50000, "main": 10}),
    Bad("modules-that-nothing-installs", """
WORKDIR /app
COPY . .
CMD ["node", "server.js"]
""", "dockerignore", 0, {"node_modules/left/pad.js": 50000, "server.js": 10}),
    Bad("head-in-an-earlier-stage", """ AS version
WORKDIR /v
COPY . .
RUN head -c 5 .git/HEAD > /version
FROM busybox:1
COPY . /app
COPY --from=version /version /app/version
""", "dockerignore", 0, {".git/HEAD": 50000, "main": 10}),
    Bad("lists-of-a-script", """
RUN echo 'case $1 in update) yes list | head -c 50000 > /var/lib/apt/lists/l;; esac' > /bin/apt-get && \\
    echo 'case $1 in install) test -e /var/lib/apt/lists/l && echo $2 > /var/lib/dpkg/status;; esac' \\
        >> /bin/apt-get && chmod +x /bin/apt-get && mkdir -p /var/lib/apt/lists /var/lib/dpkg && \\
    echo 'apt-get install one' > /install.sh
RUN apt-get update
RUN sh /install.sh
""", "cache-mount", 0),
    Bad("lists-of-a-stage-beside", """ AS base
RUN echo 'case $1 in update) yes list | head -c 50000 > /var/lib/apt/lists/l;; esac' > /bin/apt-get && \\
    echo 'case $1 in install) test -e /var/lib/apt/lists/l && echo $2 > /opt-$2;; esac' >> /bin/apt-get && \\
    chmod +x /bin/apt-get && mkdir -p /var/lib/apt/lists
RUN apt-get update
FROM base AS builder
RUN apt-get install one
FROM base
COPY --from=builder /opt-one /opt-one
RUN apt-get install two && rm -rf /var/lib/apt/lists/*
""", "cache-mount", 0),
    Bad("mount-over-what-another-wrote", f"""
RUN echo keep > /tmp/keep; {_BIG}
RUN --mount=type=tmpfs,target=/tmp echo s > /tmp/s; rm /big
""", "merge-runs", 0),
    Bad("bit-that-a-new-owner-takes-away", """
COPY a /a
RUN chmod 4755 /a && chown 5:5 /a
""", "copy-attributes", 20000, {"a": 20000}),
    Bad("order-without-worth", """
COPY dir /d
RUN rm -f /bin/none; touch /none
""", "", 0, {"dir/x": 10, "dir/y": 10}),
)  # fmt: skip
