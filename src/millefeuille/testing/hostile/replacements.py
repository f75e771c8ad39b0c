"""Several entries of one name in one layer: the last wins, directories merge."""

from __future__ import annotations

from millefeuille.testing.hostile.case import Case, accept, raw, refuse
from millefeuille.testing.rawtars import END, directory, file, header, symlink

_FILE = file(b"x", b"1")
_FULL = directory(b"x") + file(b"x/f", b"1") + directory(b"x/sub") + file(b"x/sub/g")


def _ten_thousand() -> bytes:
    return b"".join(file(b"x", b"%d" % n) for n in range(10_000)) + END


REPLACEMENTS: tuple[Case, ...] = (
    accept(
        "T5.01",
        "a directory over a file",
        _FILE,
        directory(b"x"),
        file(b"x/f"),
        tree={b"x": "d", b"x/f": "f "},
    ),
    accept("T5.02", "a file over a directory", _FULL, file(b"x", b"2"), tree={b"x": "f 2"}),
    accept("T5.03", "a symlink over a directory", _FULL, symlink(b"x", b"y"), tree={b"x": "l y"}),
    accept(
        "T5.04",
        "a directory over a symlink",
        symlink(b"x", b"y"),
        _FULL,
        tree={
            b"x": "d",
            b"x/f": "f 1",
            b"x/sub": "d",
            b"x/sub/g": "f ",
        },
    ),
    accept("T5.05", "a pipe over a file", _FILE, header(b"x", b"6"), tree={b"x": "p"}),
    accept(
        "T5.06",
        "a file over a file",
        _FILE,
        file(b"x", b"22", mode=0o600),
        tree={b"x": "f 22"},
        attributes={
            b"x": {"mode": 0o100600, "nlink": 1},
        },
    ),
    accept(
        "T5.07",
        "a directory over a directory",
        _FULL,
        directory(b"x", mode=0o700, uid=5),
        tree={b"x": "d", b"x/f": "f 1", b"x/sub": "d", b"x/sub/g": "f "},
        attributes={b"x": {"mode": 0o040700, "uid": 5, "nlink": 3}},
    ),
    accept("T5.08", "one name in two spellings", _FILE, file(b"./x", b"2"), tree={b"x": "f 2"}),
    accept("T5.09", "names that differ by case", _FILE, file(b"X", b"2"), tree={b"x": "f 1", b"X": "f 2"}),
    accept(
        "T5.10",
        "a directory's second mode",
        directory(b"x", mode=0o700),
        directory(b"x", mode=0o1777),
        tree={b"x": "d"},
        attributes={b"x": {"mode": 0o041777, "nlink": 2}},
    ),
    accept(
        "T5.11",
        "a directory that is named after it was needed",
        file(b"x/f"),
        directory(b"x", mode=0o700),
        tree={b"x": "d", b"x/f": "f "},
        attributes={b"x": {"mode": 0o040700}},
    ),
    accept(
        "T5.12",
        "a directory behind what is in it keeps its time",
        file(b"x/f", mtime=9),
        directory(b"x", mtime=5, mode=0o500),
        file(b"x/g", mtime=9),
        tree={b"x": "d", b"x/f": "f ", b"x/g": "f "},
        attributes={b"x": {"mtime": 5, "mode": 0o040500}},
    ),
    refuse("T5.13", "a file as a parent", _FILE, file(b"x/f"), rule="notdir"),
    accept("T5.14", "a parent that becomes a file", file(b"x/f"), file(b"x", b"2"), tree={b"x": "f 2"}),
    raw("T5.15", "ten thousand entries of one name", _ten_thousand, tree={b"x": "f 9999"}),
    accept(
        "T5.16",
        "the root, again and again",
        directory(b"./", mode=0o700),
        directory(b"/", mode=0o711),
        directory(b".", mode=0o755, gid=3),
        tree={},
        attributes={b"": {"mode": 0o040755, "gid": 3}},
    ),
)
