"""COPY: what is taken, where it goes, and whose it is."""

import struct

from tests.walks.building.case import Case
from tests.walks.building.context import File, Files, Folder, Link, Same, Special

TREE: Files = {
    "a": "a\n",
    "b": File("b\n", mode=0o600),
    "dir/one": "1\n",
    "dir/two.txt": File("2\n", mode=0o755),
    "dir/sub": Folder(mode=0o2750),
    "dir/sub/three": File("3\n", mode=0o4711),
    "dir/empty": Folder(mode=0o1777),
    "dir/link": Link("one"),
    "dir/up": Link("../a"),
    "link-to-file": Link("dir/one"),
    "link-to-dir": Link("dir"),
    "dangling": Link("nowhere"),
}
# The effective and permitted set of cap_net_bind_service, revision 2.
CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0)

CASES = [
    Case(name="copy-file-to-name", files=TREE, dockerfile="""
FROM base:1
COPY a /x
COPY b /new/deep/name
"""),
    Case(name="copy-file-into-directory", files=TREE, dockerfile="""
FROM base:1
COPY a /d/
COPY b /srv
COPY a b /many/
COPY dir/two.txt /srv/tree/sub/
"""),
    Case(name="copy-file-over-file", files=TREE, dockerfile="""
FROM base:1
COPY a /srv/tree/one
COPY b /etc/group
"""),
    Case(name="copy-file-onto-directory-name", files=TREE, dockerfile="""
FROM base:1
COPY a /srv/tree
"""),
    Case(name="copy-directory-contents", files=TREE, dockerfile="""
FROM base:1
COPY dir /x
COPY dir/ /y/
COPY dir /z/deep/
"""),
    Case(name="copy-directory-into-existing",
        files={**TREE, "tree/sub/new": "n", "tree/one": "other", "tree/sub/two": "2"},
        dockerfile="""
FROM base:1
COPY tree /srv/tree
"""),
    Case(name="copy-directory-twice", files=TREE, dockerfile="""
FROM base:1
COPY dir /x/
COPY dir/sub /x/
COPY dir /x/
"""),
    Case(name="copy-several-directories",
        files={"p/a": "1", "p/c/x": "x", "q/a": "2", "q/b": "3", "q/c/y": "y"}, dockerfile="""
FROM base:1
COPY p q /x/
"""),
    Case(name="copy-everything", files=TREE, dockerfile="""
FROM base:1
WORKDIR /w
COPY . .
"""),
    Case(name="copy-everything-to-the-root",
        files={"etc/new": "n", "srv/tree/sub/x": File("x", mode=0o640), "top": "t"}, dockerfile="""
FROM base:1
COPY . /
"""),
    Case(name="copy-dot-slash-and-rooted-sources", files=TREE, dockerfile="""
FROM base:1
COPY ./a /1
COPY /b /2
COPY ./dir/../a /3
COPY /../../a /4
COPY dir/. /5
COPY .//dir//sub/ /6
"""),
    Case(name="copy-relative-destinations", files=TREE, dockerfile="""
FROM base:1
COPY a x
WORKDIR /w/v
COPY a x
COPY a ./y/
COPY a ../z
COPY a .
WORKDIR sub
COPY b ./
"""),
    Case(name="copy-wildcards",
        files={
            "a1": "1", "a2": "2", "a10": "3", "b1": "4", "d/a1": "5", "d/a2": "6", "e/a3": "7",
        }, dockerfile="""
FROM base:1
COPY a? /q/
COPY a* /s/
COPY [ab]1 /c/
COPY */a* /deep/
COPY a[^1] /n/
COPY a[1-2] /r/
"""),
    Case(name="copy-wildcard-for-directories",
        files={"d1/x": "1", "d1/s/y": "2", "d2/x": "3", "d2/z": "4"}, dockerfile="""
FROM base:1
COPY d* /all/
COPY d*/s /s/
"""),
    Case(name="copy-wildcard-one-file-to-name", files={"only.txt": "1"}, dockerfile="""
FROM base:1
COPY *.txt /name
"""),
    Case(name="copy-wildcard-many-to-name", files={"a.txt": "1", "b.txt": "2"}, dockerfile="""
FROM base:1
COPY *.txt /name
"""),
    Case(name="copy-wildcard-without-match", files={"a": "1"}, dockerfile="""
FROM base:1
COPY nothing* /x/
"""),
    Case(name="copy-wildcard-beside-a-file", files={"package.json": "1", "b": "2"}, dockerfile="""
FROM base:1
COPY package.json package-lock.json* /x/
"""),
    Case(name="copy-escaped-wildcard", files={"a[1]": "1", "b": "2"}, dockerfile="""
FROM base:1
COPY a[[]1] /x
"""),
    Case(name="copy-odd-names",
        files={"a b": "1", "it's": "2", "é": "3", "-x": "4", "$y": "5"}, dockerfile="""
FROM base:1
COPY ["a b", "it's", "é", "/d/"]
COPY -x /e
COPY \\$y /f
"""),
    Case(name="copy-missing", files=TREE, dockerfile="""
FROM base:1
COPY missing /x
"""),
    Case(name="copy-many-to-a-file", files=TREE, dockerfile="""
FROM base:1
COPY a b /x
"""),
    Case(name="copy-directory-over-file", files=TREE, dockerfile="""
FROM base:1
COPY dir /etc/passwd
"""),
    Case(name="copy-file-over-directory", files={"d/sub": "a file"}, dockerfile="""
FROM base:1
COPY d /srv/tree/
"""),
    Case(name="copy-directory-over-file-within", files={"d/one/x": "1"}, dockerfile="""
FROM base:1
COPY d /srv/tree/
"""),
    Case(name="copy-through-file", files=TREE, dockerfile="""
FROM base:1
COPY a /etc/passwd/x
"""),
    Case(name="copy-links-in-directory", files=TREE, dockerfile="""
FROM base:1
COPY dir /x/
COPY . /all/
"""),
    Case(name="copy-link-as-source-file", files=TREE, dockerfile="""
FROM base:1
COPY link-to-file /x
COPY link-to-file /d/
"""),
    Case(name="copy-link-as-source-directory", files=TREE, dockerfile="""
FROM base:1
COPY link-to-dir /x
COPY link-to-dir/sub /y
COPY link-to-dir/two.txt /z
"""),
    Case(name="copy-dangling-link-as-source", files=TREE, dockerfile="""
FROM base:1
COPY dangling /x
"""),
    Case(name="copy-link-matched-by-wildcard", files=TREE, dockerfile="""
FROM base:1
COPY link-to-f* /d/
"""),
    Case(name="copy-link-out-of-the-context", files={"out": Link("../../../../etc/hostname")}, dockerfile="""
FROM base:1
COPY out /x
"""),
    Case(name="copy-through-link-out-of-the-context", files={"out": Link("/")}, dockerfile="""
FROM base:1
COPY out/etc/hostname /x
"""),
    Case(name="copy-to-linked-directory", files=TREE, dockerfile="""
FROM base:1
COPY a /srv/absolute/
COPY a /srv/absolute/new
COPY dir /srv/absolute/sub
RUN ln -s ../srv/tree /etc/relative
COPY a /etc/relative/via
"""),
    Case(name="copy-directory-to-link", files=TREE, dockerfile="""
FROM base:1
COPY dir /srv/absolute
"""),
    Case(name="copy-file-to-link-to-file", files=TREE, dockerfile="""
FROM base:1
COPY a /srv/tree/to-one
"""),
    Case(name="copy-file-to-dangling-link", files=TREE, dockerfile="""
FROM base:1
COPY a /srv/dangling
"""),
    Case(name="copy-directory-to-dangling-link", files=TREE, dockerfile="""
FROM base:1
COPY dir /srv/dangling/
"""),
    Case(name="copy-to-link-that-climbs-out", files=TREE, dockerfile="""
FROM base:1
RUN ln -s ../../../../../tmp/out /climb && mkdir -p /tmp/out
COPY a /climb/
COPY dir /climb/x
"""),
    Case(name="copy-directory-over-link-to-directory", files={"d/absolute/x": "1"}, dockerfile="""
FROM base:1
COPY d /srv/
"""),
    Case(name="copy-link-over-directory", files={"d/tree": Link("sticky")}, dockerfile="""
FROM base:1
COPY d /srv/
"""),
    Case(name="copy-link-over-file-and-link",
        files={"d/suid": Link("one"), "d/dangling": Link("two")}, dockerfile="""
FROM base:1
COPY d /srv/
"""),
    Case(name="copy-over-hard-link", files={"one": "changed"}, dockerfile="""
FROM base:1
COPY one /srv/tree/
"""),
    Case(name="copy-hard-links-of-the-context",
        files={"d/a": "1", "d/b": Same("d/a"), "d/s/c": Same("d/a")}, dockerfile="""
FROM base:1
COPY d /x/
COPY d/a /y
"""),
    Case(name="copy-modes", files={
        "d/suid": File("", mode=0o4755), "d/sgid": File("", mode=0o2755), "d/sticky": File("", mode=0o1644),
        "d/none": File("", mode=0), "d/all": File("", mode=0o7777), "d/x": File("", mode=0o111),
        "d/private": Folder(mode=0o700), "d/private/x": "x", "d/tmp": Folder(mode=0o1777),
        "d/shared": Folder(mode=0o2775),
        "d/closed": Folder(mode=0o500), "d/closed/in": "in",
    }, dockerfile="""
FROM base:1
COPY d /x
COPY d/suid d/tmp /y/
COPY d/tmp /z
"""),
    Case(name="copy-empty-directories-and-files",
        files={"d": Folder(), "e/f": "", "e/g": Folder()}, dockerfile="""
FROM base:1
COPY d /d
COPY e /e
COPY d /x/y/
"""),
    Case(name="copy-fifo-and-devices",
        files={
            "d/fifo": Special(), "d/null": Special(0o020000, 0o666, (1, 3)),
            "d/disk": Special(0o060000, 0o660, (7, 200)),
        },
        dockerfile="""
FROM base:1
COPY d /x/
"""),
    Case(name="copy-capability-and-attributes", files={
        "d/tool": File("x", mode=0o755, xattrs={"security.capability": CAPABILITY, "user.note": b"hello"}),
        "tool": File("x", mode=0o755, xattrs={"security.capability": CAPABILITY}),
    }, dockerfile="""
FROM base:1
COPY d /x/
COPY tool /y
"""),
    Case(name="copy-times",
        files={
            "old": File("1", mtime=1), "d/new": File("2", mtime=1_600_000_000),
            "d/l": Link("x", mtime=1_100_000_000),
        }, dockerfile="""
FROM base:1
COPY old /
COPY d /d
"""),
    Case(name="copy-chown-numbers", files=TREE, dockerfile="""
FROM base:1
COPY --chown=7:8 a /x
COPY --chown=7 a /y/z
COPY --chown=7:8 dir /new/deep
COPY --chown=0:5 dir /srv/tree
"""),
    Case(name="copy-chown-names", files=TREE, dockerfile="""
FROM base:1
COPY --chown=alice a /1
COPY --chown=alice:staff a /2
COPY --chown=:staff a /3
COPY --chown=1000 a /4
COPY --chown=5:wheel a /5
COPY --chown=alice:9 dir /6
"""),
    Case(name="copy-chown-unknown-name", files=TREE, dockerfile="""
FROM base:1
COPY --chown=nobodyhere a /1
"""),
    Case(name="copy-chown-name-made-by-run", files=TREE, dockerfile="""
FROM base:1
RUN echo carol:x:77:78::/:/bin/sh >> /etc/passwd && echo club:x:79: >> /etc/group
COPY --chown=carol a /1
COPY --chown=carol:club a /2
"""),
    Case(name="copy-user-does-not-matter", files=TREE, dockerfile="""
FROM base:1
USER alice
COPY a /x
COPY dir /new/y
"""),
    Case(name="copy-chmod", files=TREE, dockerfile="""
FROM base:1
COPY --chmod=640 a /x
COPY --chmod=0755 dir /y
COPY --chmod=4711 a /z/deep/file
""", peers=("buildkit", "buildah")),
    Case(name="copy-chmod-and-chown", files=TREE, dockerfile="""
FROM base:1
COPY --chmod=700 --chown=alice:staff dir /y
""", peers=("buildkit", "buildah")),
    Case(name="copy-bad-chmod", files=TREE, dockerfile="""
FROM base:1
COPY --chmod=888 a /x
""", peers=("buildkit", "buildah")),
    Case(name="copy-into-volume", files=TREE, dockerfile="""
FROM base:1
VOLUME /data
COPY a /data/
COPY dir /data/dir
""", peers=("buildkit", "buildah")),
    Case(name="copy-large-file", files={"big": File(bytes(range(256)) * 20000)}, dockerfile="""
FROM base:1
COPY big /x/
RUN wc -c /x/big > /size && sha256sum /x/big > /sum
"""),
    Case(name="copy-long-names",
        files={("n" * 120) + "/" + ("m" * 150): "x", "d/l": Link("t" * 200)}, dockerfile="""
FROM base:1
COPY . /x/
"""),
    Case(name="copy-destination-with-dots", files=TREE, dockerfile="""
FROM base:1
COPY a /x/../y
COPY a /../../z
COPY a /p/./q/.
COPY dir /r/.
COPY a /s//t
"""),
    Case(name="copy-then-remove-and-copy-again", files=TREE, dockerfile="""
FROM base:1
COPY dir /x
RUN rm -rf /x/sub /x/one
COPY dir/sub /x/sub
COPY a /x/one/
"""),
    Case(name="copy-from-scratch", files=TREE, dockerfile="""
FROM scratch
COPY a /x/
COPY dir /
"""),
    Case(name="copy-numeric-owner-on-scratch", files=TREE, dockerfile="""
FROM scratch
COPY --chown=5:6 dir /x/
"""),
    Case(name="copy-named-owner-on-scratch", files=TREE, dockerfile="""
FROM scratch
COPY --chown=alice dir /x/
"""),
]  # fmt: skip
