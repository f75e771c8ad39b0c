"""COPY by a table: what is there, what is copied, what the layer holds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.build.copying.roots import d, f, h, root, s, words

from millefeuille.build.copying.chmod import InvalidMode
from millefeuille.build.copying.chown import NoSuchOwner
from millefeuille.build.copying.copy import CopyWishes, copied
from millefeuille.build.copying.planned import UnwritableName, WrongKind
from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.source import NotFound
from millefeuille.errors import MilleError
from millefeuille.layers.tarheader import Metadata
from millefeuille.layers.tarstream import Member
from millefeuille.store.store import Store

PASSWD = f("etc/passwd", b"root:x:0:0:root:/:/bin/sh\nbin:x:2:33:b:/:/bin/false\nbroken\n")
GROUP = f("etc/group", b"root:x:0:\nstaff:x:50:bin\n")
ETC = [d("etc"), GROUP, PASSWD]


class Row(NamedTuple):
    name: str
    below: Sequence[Member]
    arguments: str
    expected: str
    wishes: dict[str, Any] = {}


# The context: a (0640), run (0755), sub/ (0700) with sub/b and sub/deep/c (4755), link -> a, twin = a.
ROWS = [
    Row("a file to a name", [], "a x", "- 640 0:0 x"),
    Row("a file into a new directory", [], "a x/", "d 755 0:0 x; - 640 0:0 x/a"),
    Row("a file into a directory with a dot", [], "a x/.", "d 755 0:0 x; - 640 0:0 x/a"),
    Row("a file to a name in new directories", [], "a x/y/z",
        "d 755 0:0 x; d 755 0:0 x/y; - 640 0:0 x/y/z"),
    Row("a file into a directory that is there", [d("x", 0o700, 5, 6)], "a x",
        "d 700 5:6 x; - 640 0:0 x/a"),
    Row("a file into the root", [], "a /", "- 640 0:0 a"),
    Row("a file into the root by a dot", [], "a .", "- 640 0:0 a"),
    Row("a file over a file", [f("x", b"old", 0o777, 9)], "a x", "- 640 0:0 x"),
    Row("a file over a link to nothing goes where it leads", [s("x", "y")], "a x", "- 640 0:0 y"),
    Row("a file over a link to a directory goes into that", [s("x", "y"), d("y")], "a x",
        "d 755 0:0 y; - 640 0:0 y/a"),
    Row("a file over a link in a directory replaces the link", [d("x"), s("x/a", "y")], "a x/",
        "d 755 0:0 x; - 640 0:0 x/a"),
    Row("a link at the end of the argument is followed", [], "link x", "- 640 0:0 x"),
    Row("and has its own name in a directory", [], "link x/", "d 755 0:0 x; - 640 0:0 x/link"),
    Row("a directory's content", [], "sub x",
        "d 755 0:0 x; - 644 0:0 x/b; d 1777 0:0 x/deep; - 4755 0:0 x/deep/c"),
    Row("a directory's content into the root", [], "sub /",
        "- 644 0:0 b; d 1777 0:0 deep; - 4755 0:0 deep/c"),
    Row("into a directory that is there, which stays as it is", [d("x", 0o711, 7, 7)], "sub/ x/",
        "d 711 7:7 x; - 644 0:0 x/b; d 1777 0:0 x/deep; - 4755 0:0 x/deep/c"),
    Row("directories in it that are there change", [d("x"), d("x/deep", 0o700, 7, 7)], "sub x",
        "d 755 0:0 x; - 644 0:0 x/b; d 1777 0:0 x/deep; - 4755 0:0 x/deep/c"),
    Row("absolute links in the destination stay inside", [d("r"), d("r/y"), s("x", "/r/../r")], "a /x/y/",
        "d 755 0:0 r; d 755 0:0 r/y; - 640 0:0 r/y/a"),
    Row("links that climb stay inside", [s("x", "../../../r")], "a x/y", "d 755 0:0 r; - 640 0:0 r/y"),
    Row("the destination cannot climb either", [], "a ../../x", "- 640 0:0 x"),
    Row("relative to the working directory", [d("w"), d("w/d")], "a x",
        "d 755 0:0 w; d 755 0:0 w/d; - 640 0:0 w/d/x", {"directory": "/w/d"}),
    Row("a working directory that is a link", [d("w"), s("d", "w")], "a x",
        "d 755 0:0 w; - 640 0:0 w/x", {"directory": "/d"}),
    Row("several sources", [], "a run x/", "d 755 0:0 x; - 640 0:0 x/a; - 755 0:0 x/run"),
    Row("the last of one name wins", [], "a sub/b run x", "- 755 0:0 x"),
    Row("directories merge", [], "sub more x/",
        "d 755 0:0 x; - 600 0:0 x/b; d 755 0:0 x/deep; - 4755 0:0 x/deep/c; - 644 0:0 x/deep/e"),
    Row("sorted bytewise, directories before what is in them", [], "order x/",
        "d 755 0:0 x; - 644 0:0 x/A; d 755 0:0 x/a; - 644 0:0 x/a/z; - 644 0:0 x/a-; - 644 0:0 x/a0; "
        "- 644 0:0 x/é"),
    Row("wildcards", [], "[ar]* x/", "d 755 0:0 x; - 640 0:0 x/a; - 755 0:0 x/run"),
    Row("wildcards that match nothing", [d("x")], "*.none x/", ""),
    Row("a wildcard for a directory has its content", [], "su? x/",
        "d 755 0:0 x; - 644 0:0 x/b; d 1777 0:0 x/deep; - 4755 0:0 x/deep/c"),
    Row("an empty directory makes the destination", [], "empty x/y", "d 755 0:0 x; d 755 0:0 x/y"),
    Row("an empty directory changes nothing", [d("x")], "empty x", ""),
    Row("links in a directory stay links", [], "links x",
        "d 755 0:0 x; l 777 0:0 x/abs -> /etc/passwd; l 777 0:0 x/dangling -> nowhere; "
        "l 777 0:0 x/up -> ../a"),
    Row("hard links stay hard links", [], "hard x",
        "d 755 0:0 x; - 644 0:0 x/1; d 755 0:0 x/d; h 644 0:0 x/d/3 -> x/1; h 644 0:0 x/d/4 -> x/1"),
    Row("names of one file copied alone are files", [], "hard/1 hard/d/3 x/",
        "d 755 0:0 x; - 644 0:0 x/1; - 644 0:0 x/3"),
    Row("chown by numbers", [], "sub/b x/y", "d 755 7:8 x; - 644 7:8 x/y", {"chown": "7:8"}),
    Row("chown by one number", [], "a x", "- 640 7:7 x", {"chown": "7"}),
    Row("chown by a name has its group", ETC, "a x", "- 640 2:33 x", {"chown": "bin"}),
    Row("chown by names", ETC, "a x", "- 640 2:50 x", {"chown": "bin:staff"}),
    Row("chown by a name and a number", ETC, "a x", "- 640 2:9 x", {"chown": "bin:9"}),
    Row("chown by a number and a name", ETC, "a x", "- 640 9:50 x", {"chown": "9:staff"}),
    Row("chown of links too", [], "links x",
        "d 755 3:3 x; l 777 3:3 x/abs -> /etc/passwd; l 777 3:3 x/dangling -> nowhere; "
        "l 777 3:3 x/up -> ../a",
        {"chown": "3"}),
    Row("chown leaves what is there", [d("x", 0o755, 1, 1)], "a x/",
        "d 755 1:1 x; - 640 3:3 x/a", {"chown": "3"}),
    Row("chmod of a file and the directories made for it", [], "a x/y/z",
        "d 700 0:0 x; d 700 0:0 x/y; - 700 0:0 x/y/z", {"chmod": "700"}),
    Row("chmod of all in a directory, links left alone", [], "sub x",
        "d 640 0:0 x; - 640 0:0 x/b; d 640 0:0 x/deep; - 640 0:0 x/deep/c", {"chmod": "0640"}),
    Row("chmod leaves what is there", [d("x", 0o755)], "a x/",
        "d 755 0:0 x; - 4711 0:0 x/a", {"chmod": "4711"}),
    Row("chmod by symbols", [], "sub x",
        "d 755 0:0 x; - 664 0:0 x/b; d 775 0:0 x/deep; - 4775 0:0 x/deep/c", {"chmod": "g=u,o=rX"}),
    Row("chmod +x", [], "a x", "- 751 0:0 x", {"chmod": "+x"}),
    Row("link: on an empty root", [d("x", 0o700, 5, 5), s("y", "x")], "a y/z", "d 755 0:0 y; - 640 0:0 y/z",
        {"link": True}),
    Row("link: into a directory only if written so", [d("x")], "a x", "- 640 0:0 x", {"link": True}),
    Row("link: names are those of the root", ETC, "a x/", "d 755 2:50 x; - 640 2:50 x/a",
        {"link": True, "chown": "bin:staff"}),
    Row("link with chmod is a plain copy", [d("x", 0o700, 5, 5), s("y", "x")], "a y/z",
        "d 700 5:5 x; - 600 0:0 x/z", {"link": True, "chmod": "600"}),
    Row("parents", [], "sub/deep/c x",
        "d 755 0:0 x; d 700 0:0 x/sub; d 1777 0:0 x/sub/deep; - 4755 0:0 x/sub/deep/c",
        {"parents": True}),
    Row("parents that are there keep their metadata", [d("x"), d("x/sub", 0o711, 3, 3)], "sub/b x/",
        "d 755 0:0 x; d 711 3:3 x/sub; - 644 0:0 x/sub/b", {"parents": True}),
    Row("parents from the pivot on", [], "./sub/./deep/c x/",
        "d 755 0:0 x; d 1777 0:0 x/deep; - 4755 0:0 x/deep/c", {"parents": True}),
    Row("parents by two stars", [], "**/c x/",
        "d 755 0:0 x; d 700 0:0 x/sub; d 1777 0:0 x/sub/deep; - 4755 0:0 x/sub/deep/c", {"parents": True}),
    Row("exclude", [], "sub x", "d 755 0:0 x; - 644 0:0 x/b", {"exclude": ["deep"]}),
    Row("exclude below", [], "sub x/",
        "d 755 0:0 x; - 644 0:0 x/b; d 1777 0:0 x/deep", {"exclude": ["**/c"]}),
    Row("a file over a directory of this copy", [], "more/b sub x/",
        "d 755 0:0 x; - 644 0:0 x/b; d 1777 0:0 x/deep; - 4755 0:0 x/deep/c"),
]  # fmt: skip
WRONG: list[tuple[str, Sequence[Member], str, dict[str, Any], type[MilleError], str]] = [
    ("a missing file", [], "none x", {}, NotFound, '"/none": not found'),
    ("a directory over a file", [f("x")], "sub x", {}, WrongKind, "cannot copy to non-directory: /x"),
    ("a directory in it over a file", [d("x"), f("x/deep")], "sub x", {}, WrongKind,
     "cannot copy to non-directory: /x/deep"),
    ("a directory in it over a link to one", [d("x"), d("y"), s("x/deep", "../y")], "sub x", {}, WrongKind,
     "cannot copy to non-directory: /x/deep"),
    ("a file over a directory", [d("x"), d("x/a")], "a x/", {}, WrongKind,
     "cannot replace to directory /x/a with file"),
    ("a link over a directory", [d("x"), d("x/up")], "links x", {}, WrongKind,
     "cannot replace to directory /x/up with file"),
    ("a destination below a file", [f("x")], "a x/y", {}, WrongKind, "mkdir /x: not a directory"),
    ("a destination that is a file", [f("x")], "a x/", {}, WrongKind, "mkdir /x: not a directory"),
    ("an unknown user", ETC, "a x", {"chown": "nobody"}, NoSuchOwner,
     "unable to convert uid/gid chown string to host mapping: can't find uid for user nobody: "
     "no such user: nobody"),
    ("an unknown group", ETC, "a x", {"chown": "0:nobody"}, NoSuchOwner,
     "unable to convert uid/gid chown string to host mapping: can't find gid for group nobody: "
     "no such group: nobody"),
    ("a user of no passwd", [], "a x", {"chown": "root"}, NoSuchOwner,
     "unable to convert uid/gid chown string to host mapping: can't find uid for user root: "
     "no such user: root"),
    ("a mode that is none", [], "a x", {"chmod": "u+q"}, InvalidMode,
     "invalid chmod parameter: 'u+q'. it should be octal string and between 0 and 07777"),
    ("a name that a layer takes for a mark", [], "marks x/", {}, UnwritableName,
     "'x/.wh.gone': a layer cannot hold a file of this name"),
]  # fmt: skip


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("context")
    for path, mode in (
        ("a", 0o640), ("run", 0o755), ("sub/b", 0o644), ("sub/deep/c", 0o4755), ("more/b", 0o600),
        ("more/deep/e", 0o644), ("hard/1", 0o644), ("order/A", 0o644), ("order/a/z", 0o644),
        ("order/a-", 0o644), ("order/a0", 0o644), ("order/é", 0o644), ("marks/.wh.gone", 0o644),
    ):  # fmt: skip
        file = top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(path.encode())
        file.chmod(mode)
    (top / "empty").mkdir()
    (top / "links").mkdir()
    (top / "hard/d").mkdir()
    (top / "sub").chmod(0o700)
    (top / "sub/deep").chmod(0o1777)
    os.symlink("a", top / "link")
    for name, target in (("abs", "/etc/passwd"), ("up", "../a"), ("dangling", "nowhere")):
        os.symlink(target, top / "links" / name)
    os.link(top / "hard/1", top / "hard/d/3")
    os.link(top / "hard/1", top / "hard/d/4")
    for found in sorted(top.rglob("*"), reverse=True):
        os.utime(found, ns=(0, 1_600_000_000_750_000_000), follow_symlinks=False)
    return top


def members(
    store: Store, context: Path, below: Sequence[Member], arguments: str, asked: dict[str, Any]
) -> list[tuple[Metadata, bytes]]:
    *patterns, target = arguments.split(" ")
    wishes = {key: value for key, value in asked.items() if key != "exclude"}
    parents = wishes.get("parents", False)
    with DirectorySource(str(context)) as source, root(store, below) as tree:
        matches = [
            match
            for pattern in patterns
            for match in source.match(pattern, exclude=asked.get("exclude", ()), parents=parents)
        ]
        return [
            (entry, os.read(content, entry.size) if isinstance(content, int) else content or b"")
            for entry, content in copied(tree, source, matches, CopyWishes(destination=target, **wishes))
        ]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_layer_holds(row: Row, store: Store, context: Path) -> None:
    found = members(store, context, row.below, row.arguments, row.wishes)
    assert "; ".join(words(entry) for entry, _ in found) == row.expected


@pytest.mark.parametrize(
    ("name", "below", "arguments", "wishes", "kind", "text"), WRONG, ids=[row[0] for row in WRONG]
)
def test_what_cannot_be_copied(
    name: str, below: Sequence[Member], arguments: str, wishes: dict[str, Any], kind: type[MilleError],
    text: str, store: Store, context: Path,
) -> None:  # fmt: skip
    with pytest.raises(kind) as caught:
        members(store, context, below, arguments, wishes)
    assert str(caught.value) == text


def test_contents_and_whole_seconds(store: Store, context: Path) -> None:
    found = members(store, context, [], "sub x", {})
    assert {entry.path: data for entry, data in found if data} == {
        b"x/b": b"sub/b", b"x/deep/c": b"sub/deep/c",
    }  # fmt: skip
    assert {(entry.mtime, entry.nsec) for entry, _ in found} == {(1_600_000_000, 0)}


def test_an_epoch_makes_nothing_older_newer(store: Store, context: Path) -> None:
    early = members(store, context, [d("w", mtime=5)], "sub w/x", {"epoch": 1_500_000_000})
    assert {entry.path: entry.mtime for entry, _ in early} == {
        b"w": 5, b"w/x": 1_500_000_000, b"w/x/b": 1_500_000_000, b"w/x/deep": 1_500_000_000,
        b"w/x/deep/c": 1_500_000_000,
    }  # fmt: skip
    late = members(store, context, [], "sub/b x/b", {"epoch": 1_700_000_000})
    assert [entry.mtime for entry, _ in late] == [1_700_000_000, 1_600_000_000]


def test_a_link_to_a_file_of_which_the_first_name_is_replaced(store: Store, context: Path) -> None:
    found = members(store, context, [], "hard more/b hard/1 x/", {})
    assert [words(entry) for entry, _ in found] == [
        "d 755 0:0 x", "- 644 0:0 x/1", "- 600 0:0 x/b", "d 755 0:0 x/d", "- 644 0:0 x/d/3",
        "h 644 0:0 x/d/4 -> x/d/3",
    ]  # fmt: skip
    assert found[4][1] == b"hard/1"
    assert h("x", "y")[0].kind == found[5][0].kind


def test_capabilities_of_files_are_kept(store: Store, tmp_path: Path) -> None:
    capability = bytes.fromhex("0100000200040000000000000000000000000000")
    (tmp_path / "ping").write_bytes(b"")
    try:
        os.setxattr(tmp_path / "ping", "security.capability", capability)
    except OSError:
        pytest.skip("needs the right to give files capabilities")
    found = members(store, tmp_path, [], "ping x", {"chown": "5", "chmod": "755"})
    assert found[0][0].xattrs == {b"security.capability": capability}
