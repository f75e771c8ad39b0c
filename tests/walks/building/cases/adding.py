"""ADD: like COPY, but for archives."""

import gzip
import tarfile

from tests.walks.building.archives import folder, link, member, tar
from tests.walks.building.case import Case
from tests.walks.building.context import File, Folder, Link

PLAIN: dict[str, str | tarfile.TarInfo] = {
    "top": "1", "d": folder(0o750), "d/in": "2", "d/link": link("in"), "d/hard": link("d/in", hard=True),
    "d/suid": member(mode=0o4755, owner=(0, 0)), "s": folder(0o1777, (1000, 1001)),
}  # fmt: skip


def archive() -> bytes:
    return tar(dict(PLAIN))


CASES = [
    Case(name="add-files-like-copy",
        files={"a": "1", "d/b": File("2", mode=0o600), "d/s": Folder(0o700), "d/l": Link("b")}, dockerfile="""
FROM base:1
ADD a /x
ADD d /y/
ADD a d /z/
ADD --chown=alice:staff d /w
"""),
    *(
        Case(name=f"add-archive{end}", files={f"a.tar{end}": tar(dict(PLAIN), pack=end[1:])}, dockerfile="""
FROM base:1
ADD a.tar* /x/
""")
        for end in ("", ".gz", ".bz2", ".xz")
    ),
    Case(name="add-archive-destination-without-slash", files={"a.tar": archive()}, dockerfile="""
FROM base:1
ADD a.tar /x
ADD a.tar /srv
"""),
    Case(name="add-archive-to-the-root",
        files={
            "a.tar": tar({"etc/new": "1", "srv/tree/one": "changed", "srv": folder(0o700, (3, 4))}),
        }, dockerfile="""
FROM base:1
ADD a.tar /
"""),
    Case(name="add-archive-over-files-and-links", files={"a.tar": tar({
        "tree/one": "changed", "suid": "file", "dangling": "over a link",
    })}, dockerfile="""
FROM base:1
ADD a.tar /srv/
"""),
    Case(name="add-archive-through-link-of-the-image", files={"a.tar": tar({"absolute/x": "1"})},
        dockerfile="""
FROM base:1
ADD a.tar /srv/
"""),
    Case(name="add-archive-chown", files={"a.tar": archive()}, dockerfile="""
FROM base:1
ADD --chown=alice:staff a.tar /x/
"""),
    Case(name="add-archive-and-files", files={"a.tar": archive(), "b": "file"}, dockerfile="""
FROM base:1
ADD a.tar b /x/
"""),
    Case(name="add-archive-in-directory-stays", files={"d/a.tar": archive()}, dockerfile="""
FROM base:1
ADD d /x/
"""),
    Case(name="add-archive-named-otherwise",
        files={
            "data": tar(dict(PLAIN), pack="gz"), "no.tar": "no archive", "no.tar.gz": "none",
        }, dockerfile="""
FROM base:1
ADD data /x/
ADD no.tar no.tar.gz /y/
"""),
    Case(name="add-gzip-that-is-no-archive",
        files={"a.gz": gzip.compress(b"text" * 400, mtime=0)}, dockerfile="""
FROM base:1
ADD a.gz /x/
"""),
    Case(name="copy-archive-stays", files={"a.tar": archive()}, dockerfile="""
FROM base:1
COPY a.tar /x/
"""),
    Case(name="add-archive-without-directory-entries",
        files={"a.tar": tar({"p/q/r": "1", "p/s": "2"})}, dockerfile="""
FROM base:1
ADD a.tar /x/
"""),
    Case(name="add-archive-special-files", files={"a.tar": tar({
        "fifo": member(kind=tarfile.FIFOTYPE), "link": link("/abs"), "up": link("../../../outside"),
    })}, dockerfile="""
FROM base:1
ADD a.tar /x/
"""),
    Case(name="add-archive-duplicate-entries",
        files={"a.tar": tar({"./a": "first", "a": "second"})}, dockerfile="""
FROM base:1
ADD a.tar /x/
"""),
    Case(name="add-archive-with-root-entry",
        files={"a.tar": tar({"./": folder(0o700, (7, 7)), "./f": "1"})}, dockerfile="""
FROM base:1
RUN mkdir -m 755 /x
ADD a.tar /x/
ADD a.tar /new/
"""),
    Case(name="add-archive-climbing-out",
        files={"a.tar": tar({"../../escape": "1", "/abs": "2"})}, dockerfile="""
FROM base:1
ADD a.tar /x/y/
"""),
    Case(name="add-archive-through-own-link",
        files={"a.tar": tar({"l": link("/etc"), "l/new": "1"})}, dockerfile="""
FROM base:1
ADD a.tar /x/
"""),
    Case(name="add-archive-with-whiteouts",
        files={"a.tar": tar({"tree/.wh.one": "", "tree/x": "1"})}, dockerfile="""
FROM base:1
ADD a.tar /srv/
"""),
    Case(name="add-archive-via-link-and-wildcard",
        files={
            "a.tar": archive(), "l": Link("a.tar"), "b1.tar": tar({"b1": "1"}), "b2.tar": tar({"b2": "2"}),
        },
        dockerfile="""
FROM base:1
ADD l /x/
ADD b*.tar /y/
"""),
    Case(name="add-archive-to-linked-directory", files={"a.tar": tar({"f": "1"})}, dockerfile="""
FROM base:1
ADD a.tar /srv/absolute/
"""),
    Case(name="add-archive-onto-file", files={"a.tar": tar({"f": "1"})}, dockerfile="""
FROM base:1
ADD a.tar /etc/passwd
"""),
    Case(name="add-truncated-archive", files={"a.tar": archive()[:1300]}, dockerfile="""
FROM base:1
ADD a.tar /x/
"""),
    Case(name="add-relative-and-workdir", files={"a.tar": archive()}, dockerfile="""
FROM base:1
WORKDIR /w
ADD a.tar .
ADD a.tar sub/
"""),
    Case(name="add-empty-archive", files={"a.tar": tar({})}, dockerfile="""
FROM base:1
ADD a.tar /x/
"""),
    Case(name="add-on-scratch",
        files={"root.tar.gz": tar({"bin": folder(owner=(0, 0)), "bin/x": "1"}, pack="gz")}, dockerfile="""
FROM scratch
ADD root.tar.gz /
CMD ["/bin/x"]
"""),
]  # fmt: skip
