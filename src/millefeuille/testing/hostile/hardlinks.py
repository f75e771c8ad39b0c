"""Hard links to what is not there, not theirs, or not linkable."""

from __future__ import annotations

from millefeuille.testing.hostile.case import Case, accept, raw, refuse, stack
from millefeuille.testing.rawtars import END, directory, file, hardlink, header, symlink

_FILE = file(b"f", b"1")


def _many() -> bytes:
    return _FILE + b"".join(hardlink(b"l%05d" % n, b"f") for n in range(100_000)) + END


HARDLINKS: tuple[Case, ...] = (
    refuse("T3.01", "a target above the root", hardlink(b"l", b"../../victim"), rule="escape"),
    refuse("T3.02", "an absolute target is one in the root", hardlink(b"l", b"/etc/shadow"), rule="broken"),
    refuse("T3.03", "a target that is nowhere", hardlink(b"l", b"gone"), rule="broken"),
    refuse("T3.04", "a target that comes later", hardlink(b"l", b"f"), _FILE, rule="broken"),
    refuse("T3.05", "a directory", directory(b"d"), hardlink(b"l", b"d"), rule="link"),
    accept(
        "T3.06",
        "a symlink: the link itself is linked",
        _FILE,
        symlink(b"s", b"f"),
        hardlink(b"l", b"s"),
        tree={b"f": "f 1", b"s": "l f", b"l": "l f"},
        attributes={b"l": {"nlink": 2}, b"f": {"nlink": 1}},
    ),
    refuse(
        "T3.07",
        "a target behind a symlink stays in the root",
        symlink(b"d", b"/victim"),
        hardlink(b"l", b"d/secret"),
        rule="broken",
    ),
    refuse("T3.08", "itself", _FILE, hardlink(b"f", b"f"), rule="link"),
    accept(
        "T3.09",
        "a chain of links",
        _FILE,
        hardlink(b"a", b"f"),
        hardlink(b"b", b"a"),
        tree={b"f": "f 1", b"a": "f 1", b"b": "f 1"},
        attributes={b"f": {"nlink": 3}},
    ),
    accept(
        "T3.10",
        "a device",
        header(b"c", b"3", device=(1, 3)),
        hardlink(b"l", b"c"),
        tree={b"c": "c 1:3", b"l": "c 1:3"},
    ),
    accept(
        "T3.11",
        "a second entry under a link's name changes no inode",
        file(b"f", b"1", mode=0o600),
        hardlink(b"l", b"f"),
        file(b"l", b"2", mode=0o4777, uid=1),
        tree={b"f": "f 1", b"l": "f 2"},
        attributes={b"f": {"mode": 0o100600, "uid": 0, "nlink": 1}, b"l": {"mode": 0o104777}},
    ),
    accept(
        "T3.12",
        "data under a link's name leaves the other name's data",
        _FILE,
        hardlink(b"l", b"f"),
        file(b"f", b"22"),
        tree={b"f": "f 22", b"l": "f 1"},
    ),
    accept(
        "T3.13",
        "a size says nothing about data behind a link",
        _FILE,
        hardlink(b"l", b"f", size=512),
        file(b"g", b"2"),
        tree={b"f": "f 1", b"l": "f 1", b"g": "f 2"},
    ),
    stack(
        "T3.14",
        "a target that only a lower layer has",
        _FILE,
        hardlink(b"l", b"f"),
        tree={b"f": "f 1", b"l": "f 1"},
    ),
    stack(
        "T3.15",
        "a target that the same layer removes",
        _FILE,
        hardlink(b"l", b"f") + file(b".wh.f"),
        refused="broken",
    ),
    raw("T3.16", "a hundred thousand links to one inode", _many),
    refuse("T3.17", "no target", _FILE, hardlink(b"l", b""), rule="link"),
    refuse(
        "T3.18",
        "a target in the notes of AUFS",
        file(b".wh..wh.plnk/1.2", b"1"),
        hardlink(b"l", b".wh..wh.plnk/1.2"),
        rule="link",
    ),
)
