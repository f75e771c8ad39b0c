"""RUN with mounts: secrets, caches, temporary and bound files."""

from tests.walks.building.context import File
from tests.walks.building.expectation import Expected

SECRET = {"key": "s3cret\n"}
WITH_KEY = ("--secret", "id=key,src={context}/key")

CASES = [
    Expected(name="secret-at-its-usual-place",
        files={**SECRET, ".dockerignore": "key"}, options=WITH_KEY, dockerfile="""
FROM base:1
RUN --mount=type=secret,id=key cat /run/secrets/key > /seen && ls -ln /run/secrets/key | cut -c1-10 > /mode
RUN ls /run > /after
""", tree="""
f 644 0:0 /after ""
f 644 0:0 /mode "-r--------\\n"
f 644 0:0 /seen "s3cret\\n"
"""),
    Expected(name="secret-at-a-target", files=SECRET, options=WITH_KEY, dockerfile="""
FROM base:1
RUN chmod 777 /srv
USER alice
RUN --mount=type=secret,id=key,target=/deep/er/file,uid=1000,gid=50,mode=0440 \\
    cat /deep/er/file > /srv/seen && stat -c '%a %u %g' /deep/er/file > /srv/stat
""", tree="""
d 777 0:0 /srv
f 644 1000:1001 /srv/seen "s3cret\\n"
f 644 1000:1001 /srv/stat "440 1000 50\\n"
"""),
    Expected(name="secret-in-the-environment", files=SECRET, options=WITH_KEY, dockerfile="""
FROM base:1
RUN --mount=type=secret,id=key,env=TOKEN printf '%s' "$TOKEN" | wc -c > /length && test ! -e /run/secrets/key
RUN echo "${TOKEN-unset}" > /later
""", tree="""
f 644 0:0 /later "unset\\n"
f 644 0:0 /length "7\\n"
"""),
    Expected(name="secret-that-is-missing", dockerfile="""
FROM base:1
RUN --mount=type=secret,id=nokey test ! -e /run/secrets/nokey && echo fine > /seen
""", tree="""
f 644 0:0 /seen "fine\\n"
"""),
    Expected(name="secret-that-is-required", fails="nokey", dockerfile="""
FROM base:1
RUN --mount=type=secret,id=nokey,required cat /run/secrets/nokey
"""),
    Expected(name="secret-over-a-file", files=SECRET, options=WITH_KEY, dockerfile="""
FROM base:1
RUN --mount=type=secret,id=key,target=/etc/group cat /etc/group > /seen
""", tree="""
f 644 0:0 /seen "s3cret\\n"
"""),
    Expected(name="agent-that-is-required", fails="default", dockerfile="""
FROM base:1
RUN --mount=type=ssh,required true
"""),
    Expected(name="cache-is-kept-and-left-out", dockerfile="""
FROM base:1
RUN --mount=type=cache,target=/root/.cache echo one > /root/.cache/f && mkdir /root/.cache/d
RUN --mount=type=cache,target=/root/.cache ls /root/.cache > /seen && test ! -L /root/.cache
RUN ls -A /root > /after
""", tree="""
f 644 0:0 /after ""
f 644 0:0 /seen "d\\nf\\n"
"""),
    Expected(name="cache-by-id-with-owner-and-mode", dockerfile="""
FROM base:1
RUN --mount=type=cache,id=mine,target=/c,uid=1000,gid=50,mode=0700 \\
    stat -c '%a %u:%g' /c > /seen && echo x > /c/f
RUN --mount=type=cache,id=mine,target=/other/place,uid=1000,gid=50,mode=0700 cat /other/place/f >> /seen
RUN --mount=type=cache,id=yours,target=/c ls /c >> /seen
""", tree="""
f 644 0:0 /seen "700 1000:50\\nx\\n"
"""),
    Expected(name="cache-that-cannot-be-written", dockerfile="""
FROM base:1
RUN --mount=type=cache,id=ro-test,target=/c echo 1 > /c/f
RUN --mount=type=cache,id=ro-test,target=/c,ro ! touch /c/g 2>/dev/null && cat /c/f > /seen
""", tree="""
f 644 0:0 /seen "1\\n"
"""),
    Expected(name="cache-filled-from-a-stage", dockerfile="""
FROM base:1 AS seed
RUN mkdir /s && echo seed > /s/f
FROM base:1
RUN --mount=type=cache,id=seeded,target=/c,from=seed,source=/s cat /c/f > /seen && echo more > /c/g
""", tree="""
f 644 0:0 /seen "seed\\n"
"""),
    Expected(name="cache-over-files-of-the-image", dockerfile="""
FROM base:1
RUN --mount=type=cache,id=over,target=/srv/tree ls -A /srv/tree > /seen && touch /srv/tree/x
RUN cat /srv/tree/one > /after
""", tree="""
f 644 0:0 /after "one\\n"
f 644 0:0 /seen ""
"""),
    Expected(name="tmpfs-is-left-out", dockerfile="""
FROM base:1
RUN --mount=type=tmpfs,target=/srv/tree,size=1m ls -A /srv/tree > /seen && echo x > /srv/tree/y
RUN --mount=type=tmpfs,target=/new/deep touch /new/deep/x && echo kept > /new/beside
""", tree="""
d 755 0:0 /new
f 644 0:0 /new/beside "kept\\n"
f 644 0:0 /seen ""
"""),
    Expected(name="bind-relative-to-the-workdir",
        files={"d/a": File("1", mode=0o640), "b": "2"}, dockerfile="""
FROM base:1
RUN --mount=target=/ctx cat /ctx/d/a /ctx/b > /all && stat -c %a /ctx/d/a > /stat
WORKDIR /w
RUN --mount=source=b,target=b cat b > two
RUN --mount=target=ctx,source=d cat ctx/a > one && ! touch ctx/x 2>/dev/null
""", tree="""
f 644 0:0 /all "12"
f 644 0:0 /stat "640\\n"
d 755 0:0 /w
f 644 0:0 /w/one "1"
f 644 0:0 /w/two "2"
"""),
    Expected(name="bind-of-the-context-belongs-to-root", files={"a": "1"}, dockerfile="""
FROM base:1
RUN --mount=target=/ctx stat -c %u:%g /ctx/a > /stat
""", tree="""
f 644 0:0 /stat "0:0\\n"
""", open="the files of a context that root builds from show the owners that they have on the host"),
    Expected(name="bind-hides-what-is-ignored",
        files={"d/a": "1", "d/secret": "2", ".dockerignore": "d/secret"}, dockerfile="""
FROM base:1
RUN --mount=target=/m ls /m/d > /seen && ! cat /m/d/secret
""", tree="""
f 644 0:0 /seen "a\\n"
"""),
    Expected(name="bind-writes-are-lost", files={"d/a": "1"}, dockerfile="""
FROM base:1
RUN --mount=target=/m,source=d,rw echo changed > /m/a && touch /m/new && cat /m/a > /seen
RUN --mount=target=/m,source=d cat /m/a > /again && ls /m >> /again
""", tree="""
f 644 0:0 /again "1a\\n"
f 644 0:0 /seen "changed\\n"
"""),
    Expected(name="bind-from-a-stage-and-an-image", dockerfile="""
FROM base:1 AS one
RUN mkdir -p /o/d && echo 1 > /o/d/f && chown 5:6 /o/d/f
FROM scratch AS two
COPY --from=one /o /
FROM base:1
RUN --mount=from=one,source=/o/d,target=/m stat -c '%u:%g' /m/f > /owner && cat /m/f > /f
RUN --mount=from=two,target=/m ls /m > /names
RUN --mount=from=base:1,source=/srv/tree,target=/m cat /m/one > /one
""", tree="""
f 644 0:0 /f "1\\n"
f 644 0:0 /names "d\\n"
f 644 0:0 /one "one\\n"
f 644 0:0 /owner "5:6\\n"
"""),
    Expected(name="mounts-expand-variables", files={"d1/a": "1"}, dockerfile="""
FROM base:1
ARG N=1
ENV WHERE=/m
RUN --mount=source=d$N,target=${WHERE}/x cat /m/x/a > /seen
""", tree="""
f 644 0:0 /seen "1"
"""),
    Expected(name="mount-from-a-variable", fails="'from' doesn't support variable expansion", dockerfile="""
FROM base:1 AS one
FROM base:1
ARG S=one
RUN --mount=from=$S,target=/m true
"""),
    Expected(name="mount-with-an-unknown-key", fails="unexpected key 'taget'", dockerfile="""
FROM base:1
RUN --mount=type=tmpfs,taget=/x true
"""),
    Expected(name="mount-points-are-not-left", dockerfile="""
FROM base:1
RUN --mount=type=tmpfs,target=/a/b/c --mount=type=cache,target=/d true && touch /seen
""", tree="""
f 644 0:0 /seen ""
"""),
    Expected(name="network-none", dockerfile="""
FROM base:1
RUN --network=none ip -o link 2>/dev/null | grep -c . > /seen
""", tree="""
f 644 0:0 /seen "1\\n"
"""),
    Expected(name="insecure-without-leave", fails="security.insecure", dockerfile="""
FROM base:1
RUN --security=insecure true
"""),
    Expected(name="insecure-with-leave", options=("--allow", "security.insecure"), dockerfile="""
FROM base:1
RUN --security=insecure grep CapEff /proc/self/status | cut -f2 | grep -c 'ff$' > /seen
""", tree="""
f 644 0:0 /seen "1\\n"
"""),
    Expected(name="hosts-and-shared-memory",
        options=("--add-host", "box:10.1.2.3", "--shm-size", "1m"), dockerfile="""
FROM base:1
RUN grep -w box /etc/hosts | awk '{ print $1, $2 }' > /seen && \\
    df -k /dev/shm | tail -1 | tr -s ' ' | cut -d' ' -f2 >> /seen
""", tree="""
f 644 0:0 /seen "10.1.2.3 box\\n1024\\n"
"""),
]  # fmt: skip
