"""Whiteouts: what they may name, and what they leave alone."""

from __future__ import annotations

from millefeuille.testing.hostile.case import Case, accept, refuse, stack
from millefeuille.testing.rawtars import directory, file, hardlink, header, pax, symlink, xattr

_LOW = directory(b"d") + file(b"d/a", b"1") + file(b"d/b", b"2") + file(b"f", b"3")
_OPAQUE = file(b"d/.wh..wh..opq")
_NAME = b"w" * 251

WHITEOUTS: tuple[Case, ...] = (
    stack("T4.01", "a file", _LOW, file(b".wh.f"), tree={b"d": "d", b"d/a": "f 1", b"d/b": "f 2"}),
    stack("T4.02", "a file below", _LOW, file(b"d/.wh.a"), tree={b"d": "d", b"d/b": "f 2", b"f": "f 3"}),
    stack(
        "T4.03", "all that a directory has", _LOW, directory(b"d") + _OPAQUE, tree={b"d": "d", b"f": "f 3"}
    ),
    stack("T4.04", "all that there is", _LOW, file(b".wh..wh..opq") + file(b"x", b"4"), tree={b"x": "f 4"}),
    refuse("T4.05", "no name", file(b".wh."), rule="whiteout"),
    refuse("T4.06", "its own directory", file(b"d/.wh.."), rule="whiteout"),
    refuse("T4.07", "the parent", file(b"d/.wh..."), rule="whiteout"),
    refuse("T4.08", "an empty name as a parent", file(b".wh./x"), rule="whiteout"),
    stack(
        "T4.09",
        "links of AUFS are ignored, with all below",
        _LOW,
        directory(b".wh..wh.plnk") + file(b".wh..wh.plnk/12.34", b"x"),
        tree={b"d": "d", b"d/a": "f 1", b"d/b": "f 2", b"f": "f 3"},
    ),
    accept(
        "T4.10",
        "the mark of AUFS is ignored",
        file(b".wh..wh.aufs", b"x"),
        file(b"x", b"1"),
        tree={b"x": "f 1"},
        notes=("aufs",),
    ),
    stack(
        "T4.11",
        "an opaque mark behind its siblings",
        _LOW,
        file(b"d/new", b"4") + _OPAQUE,
        tree={b"d": "d", b"d/new": "f 4", b"f": "f 3"},
    ),
    stack(
        "T4.12",
        "removed, then made again",
        _LOW,
        file(b".wh.f") + file(b"f", b"4"),
        tree={b"d": "d", b"d/a": "f 1", b"d/b": "f 2", b"f": "f 4"},
    ),
    stack(
        "T4.13",
        "made again, then removed: the order says nothing",
        _LOW,
        file(b"f", b"4") + file(b".wh.f"),
        tree={b"d": "d", b"d/a": "f 1", b"d/b": "f 2", b"f": "f 4"},
    ),
    stack(
        "T4.14",
        "what is not there",
        _LOW,
        file(b".wh.gone") + file(b"gone/.wh.too"),
        tree={b"d": "d", b"d/a": "f 1", b"d/b": "f 2", b"f": "f 3"},
    ),
    stack(
        "T4.15",
        "as a directory",
        _LOW,
        directory(b".wh.d/"),
        tree={b"f": "f 3"},
    ),
    stack("T4.16", "as a symlink", _LOW, symlink(b".wh.d", b"/victim"), tree={b"f": "f 3"}),
    stack("T4.17", "as a hard link", _LOW, hardlink(b".wh.d", b"f"), tree={b"f": "f 3"}),
    stack(
        "T4.18", "with data", _LOW, file(b".wh.d", b"x" * 700) + file(b"n"), tree={b"f": "f 3", b"n": "f "}
    ),
    stack(
        "T4.19",
        "through a symlink of its layer",
        _LOW,
        symlink(b"s", b"/d") + file(b"s/.wh.a"),
        tree={b"d": "d", b"d/b": "f 2", b"f": "f 3", b"s": "l /d"},
    ),
    stack(
        "T4.20",
        "a symlink: what it leads to stays",
        _LOW + symlink(b"s", b"d"),
        file(b".wh.s"),
        tree={b"d": "d", b"d/a": "f 1", b"d/b": "f 2", b"f": "f 3"},
    ),
    refuse("T4.21", "a whiteout as a parent", file(b".wh.x/y"), rule="whiteout"),
    accept(
        "T4.22",
        "a device that overlayfs takes for a whiteout",
        header(b"f", b"3", device=(0, 0)),
        file(b"g"),
        tree={b"g": "f "},
        notes=("device-0-0",),
    ),
    accept(
        "T4.23",
        "an attribute that overlayfs takes for an opaque mark",
        xattr(b"trusted.overlay.opaque", b"y"),
        directory(b"d"),
        tree={b"d": "d"},
        attributes={b"d": {"xattrs": {}}},
        notes=("xattr",),
    ),
    stack(
        "T4.24",
        "a name of 255 bytes with its prefix",
        pax({b"path": _NAME}) + file(b"f", b"3"),
        pax({b"path": b".wh." + _NAME}) + file(b"x"),
        tree={},
    ),
)
