"""What several layers do to each other."""

from __future__ import annotations

from millefeuille.testing.hostile.case import Case, stack
from millefeuille.testing.rawtars import directory, file, hardlink, symlink

_LOW = directory(b"d", mode=0o700, uid=3) + file(b"d/a", b"1") + file(b"d/b", b"2")

STACKS: tuple[Case, ...] = (
    stack(
        "T9.01",
        "a path through a lower symlink hides it, and does not follow it",
        directory(b"t") + symlink(b"s", b"t"),
        file(b"s/f", b"1"),
        tree={b"t": "d", b"s": "d", b"s/f": "f 1"},
    ),
    stack(
        "T9.02",
        "an opaque mark removes a name of a linked file, not the file",
        _LOW + hardlink(b"keep", b"d/a"),
        directory(b"d") + file(b"d/.wh..wh..opq"),
        tree={b"d": "d", b"keep": "f 1"},
    ),
    stack(
        "T9.03",
        "a whiteout of a directory, and a new file of its name",
        _LOW,
        file(b".wh.d") + file(b"d", b"3"),
        tree={b"d": "f 3"},
    ),
    stack(
        "T9.04",
        "links in two layers have nothing to do with each other",
        file(b"a", b"1") + hardlink(b"b", b"a"),
        file(b"c", b"2") + hardlink(b"b", b"c"),
        tree={b"a": "f 1", b"b": "f 2", b"c": "f 2"},
    ),
    stack("T9.05", "one layer twice", _LOW, _LOW, tree={b"d": "d", b"d/a": "f 1", b"d/b": "f 2"}),
    stack(
        "T9.06",
        "a layer of whiteouts alone",
        _LOW,
        file(b"d/.wh.a") + file(b".wh.gone"),
        tree={
            b"d": "d",
            b"d/b": "f 2",
        },
    ),
)
