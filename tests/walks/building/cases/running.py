"""RUN: everything that a command can do to a file system, and as whom it does it."""

from tests.walks.building.case import Case

CASES = [
    Case(name="run-writes-and-appends", dockerfile="""
FROM base:1
RUN echo 1 > /a && echo 2 >> /etc/passwd && mkdir -p /x/y/z && touch /x/y/z/f
"""),
    Case(name="run-removes", dockerfile="""
FROM base:1
RUN rm /srv/suid && rm -r /srv/tree/sub && rmdir /home/alice
RUN rm -rf /srv/tree /srv/absolute
"""),
    Case(name="run-removes-and-makes-again", dockerfile="""
FROM base:1
RUN rm -rf /srv/tree && mkdir /srv/tree && echo new > /srv/tree/one
RUN rm /srv/suid && mkdir /srv/suid && touch /srv/suid/in
RUN rm -rf /srv/suid && echo file > /srv/suid
"""),
    Case(name="run-makes-opaque-directories", dockerfile="""
FROM base:1
RUN rm -rf /srv/tree/sub && mkdir -m 700 /srv/tree/sub && touch /srv/tree/sub/fresh
RUN rm -rf /srv && mkdir -p /srv/tree/sub && touch /srv/tree/sub/last
"""),
    Case(name="run-renames", dockerfile="""
FROM base:1
RUN mv /srv/suid /srv/moved && mv /srv/tree/sub /srv/tree/bus && mv /etc/group /group
RUN mv /srv/tree /wood && mv /wood/bus/two /wood/2
"""),
    Case(name="run-renames-in-circles", dockerfile="""
FROM base:1
RUN cd /srv && mv suid t && mv tree/one suid && mv t tree/one
RUN cd /srv && mv suid t && mv tree/one suid && mv t tree/one
"""),
    Case(name="run-hard-links", dockerfile="""
FROM base:1
RUN echo x > /a && ln /a /b && mkdir /d && ln /a /d/c
RUN echo more >> /a
RUN ln /srv/suid /srv/suid2
"""),
    Case(name="run-writes-through-lower-hard-link", dockerfile="""
FROM base:1
RUN mkdir /d && echo x > /d/a && ln /d/a /d/b
RUN cp /d/a /d/c && rm /d/a && mv /d/c /d/a
"""),
    Case(name="run-symbolic-links", dockerfile="""
FROM base:1
RUN ln -s /srv/tree /l && ln -s nowhere /m && ln -sf two /srv/dangling && touch /l/through
RUN rm /l && mkdir /l && touch /l/in
"""),
    Case(name="run-modes-and-owners", dockerfile="""
FROM base:1
RUN chmod 4711 /srv/tree/one && chmod g+s /srv/sticky && chown 5:6 /srv/tree/sub && chown -h 7:8 /srv/dangling
RUN chmod 700 /srv && chown alice:staff /home/alice && chmod u+s,g+s /etc/passwd
RUN mkdir -m 0 /closed && touch /t && chmod 0 /t
"""),
    Case(name="run-chmod-and-back", dockerfile="""
FROM base:1
RUN chmod 700 /srv/suid && chmod 4755 /srv/suid && touch /other
"""),
    Case(name="run-special-files", dockerfile="""
FROM base:1
RUN mkfifo /p && mknod /null c 1 3 && mknod -m 600 /disk b 7 100 && chown 5:6 /null
""", peers=("buildkit", "classic")),
    Case(name="run-sockets-are-not-kept", dockerfile="""
FROM base:1
RUN (nc -l -s 127.0.0.1 -p 9 >/dev/null 2>&1 &) ; mkdir /s && touch /s/beside
"""),
    Case(name="run-times", dockerfile="""
FROM base:1
RUN echo x > /f && touch -d @1000000000 /f && ln -s x /l \\
    && touch -h -d @1100000000 /l && touch -d @1200000000 /srv/suid
"""),
    Case(name="run-nothing", dockerfile="""
FROM base:1
RUN true
RUN cat /etc/passwd > /dev/null
RUN touch /x && rm /x
"""),
    Case(name="run-fails", dockerfile="""
FROM base:1
RUN touch /x; exit 7
"""),
    Case(name="run-command-not-found", dockerfile="""
FROM base:1
RUN nosuchcommand
"""),
    Case(name="run-exec-form-not-found", dockerfile="""
FROM base:1
RUN ["nosuchcommand"]
"""),
    Case(name="run-exec-form-has-no-shell", dockerfile="""
FROM base:1
ENV A=1
RUN ["echo", "$A", ">", "/x"]
RUN ["/bin/sh", "-c", "echo $A > /y"]
"""),
    Case(name="run-user-by-name", dockerfile="""
FROM base:1
RUN chmod 777 /srv
USER alice
RUN id > /srv/id; touch /srv/mine; mkdir /srv/dir; echo $HOME > /srv/home
"""),
    Case(name="run-user-by-number", dockerfile="""
FROM base:1
RUN chmod 777 /srv
USER 1000
RUN id > /srv/a
USER 4242
RUN id -u > /srv/b; id -g >> /srv/b; touch /srv/mine
USER 4242:4343
RUN id -u > /srv/c; id -g >> /srv/c
USER 1000:50
RUN id -g > /srv/d
"""),
    Case(name="run-user-with-group", dockerfile="""
FROM base:1
RUN chmod 777 /srv
USER alice:staff
RUN id -u > /srv/a; id -g >> /srv/a; touch /srv/mine
USER bob:7
RUN id -g > /srv/b
USER root
RUN id -u > /srv/c
"""),
    Case(name="run-user-unknown", dockerfile="""
FROM base:1
USER nobodyhere
RUN true
"""),
    Case(name="run-user-cannot-write", dockerfile="""
FROM base:1
USER alice
RUN touch /x
"""),
    Case(name="run-in-workdir", dockerfile="""
FROM base:1
WORKDIR /w/v
RUN pwd > here; echo $PWD >> here; touch ../up
WORKDIR /srv/absolute
RUN pwd -P > /p; touch here
"""),
    Case(name="run-shell", dockerfile="""
FROM base:1
SHELL ["/bin/sh", "-ec"]
RUN false; touch /not-made || true
"""),
    Case(name="run-shell-arguments", dockerfile="""
FROM base:1
SHELL ["/bin/sh", "-x", "-c"]
RUN echo "$0 $-" > /seen
CMD echo hello
ENTRYPOINT start it
SHELL ["/bin/busybox", "sh", "-c"]
RUN echo two > /two
HEALTHCHECK CMD check it
"""),
    Case(name="run-environment-of-process", dockerfile="""
FROM base:1
ENV LANG=C PATH=/opt/bin:/bin
RUN echo $PATH > /a; umask > /b; ulimit -c > /dev/null; tty > /c || true
"""),
    Case(name="run-reads-nothing", dockerfile="""
FROM base:1
RUN wc -c > /stdin
"""),
    Case(name="run-leaves-background-process", dockerfile="""
FROM base:1
RUN sleep 300 & echo started > /x
"""),
    Case(name="run-in-proc-dev-and-tmp", dockerfile="""
FROM base:1
RUN test -e /proc/self/status && test -c /dev/null && touch /tmp/kept /run/kept && echo ok > /ok
RUN ls /tmp /run > /seen
"""),
    Case(name="run-touches-hosts", dockerfile="""
FROM base:1
RUN echo x > /etc/x && cat /etc/hosts > /dev/null && touch /etc/beside
"""),
    Case(name="run-many-files", dockerfile="""
FROM base:1
RUN mkdir /m && cd /m && for i in $(seq 300); do echo $i > f$i; done
RUN cd /m && for i in $(seq 2 2 300); do rm f$i; done && mkdir s && mv f1?? s
"""),
    Case(name="run-sparse-and-large", dockerfile="""
FROM base:1
RUN dd if=/dev/zero of=/sparse bs=1 count=1 seek=3000000 2>/dev/null && yes | head -c 500000 > /large
"""),
    Case(name="run-odd-names", dockerfile="""
FROM base:1
RUN cd /srv && touch 'a b' "it's" '*' '\\\\' .hidden -- -dash && mkdir ' ' && touch ' /x'
"""),
    Case(name="run-files-called-whiteouts-almost", dockerfile="""
FROM base:1
RUN touch /.w /wh. /.wh && mkdir /x.wh.y
"""),
    Case(name="run-replaces-applets", dockerfile="""
FROM base:1
RUN rm /bin/vi && echo '#!/bin/sh' > /bin/vi && chmod 755 /bin/vi && mv /bin/awk /bin/gawk
"""),
    Case(name="run-removes-what-copy-brought", files={"d/a": "1", "d/s/b": "2"}, dockerfile="""
FROM base:1
COPY d /d
RUN rm -r /d/s && mv /d/a /d/b
RUN rm -rf /d
"""),
    Case(name="run-directory-becomes-link", dockerfile="""
FROM base:1
RUN rm -rf /srv/tree && ln -s sticky /srv/tree
RUN touch /srv/tree/in
"""),
    Case(name="run-nested-replacement", dockerfile="""
FROM base:1
RUN mkdir -p /a/b/c && touch /a/b/c/1 /a/b/2 /a/3
RUN rm -rf /a/b && mkdir -p /a/b/c && touch /a/b/c/4
RUN mv /a /z && mkdir /a && mv /z/b /a/
"""),
    Case(name="run-mount-tmpfs-and-cache", dockerfile="""
FROM base:1
RUN --mount=type=tmpfs,target=/scratch touch /scratch/x && df /scratch > /dev/null && touch /kept
RUN --mount=type=cache,target=/var/cache/x echo 1 > /var/cache/x/f
RUN --mount=type=cache,target=/var/cache/x cat /var/cache/x/f > /seen
""", peers=("buildkit",)),
    Case(name="run-mount-bind", files={"a": "text", "d/b": "deep"}, dockerfile="""
FROM base:1 AS other
RUN mkdir /o && echo from > /o/x
FROM base:1
RUN --mount=target=/ctx cp /ctx/a /a
RUN --mount=type=bind,source=d,target=/ctx cat /ctx/b > /b
RUN --mount=type=bind,from=other,source=/o,target=/mnt,rw cp /mnt/x /x && touch /mnt/lost
""", peers=("buildkit",)),
    Case(name="run-network-none", dockerfile="""
FROM base:1
RUN ls /sys/class/net > /dev/null; ip link show lo > /dev/null && touch /ok
"""),
]  # fmt: skip
