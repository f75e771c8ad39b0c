"""Entries below symlinks that the same layer made: followed inside of the root, or refused."""

from __future__ import annotations

from millefeuille.testing.hostile.case import Case, accept, refuse, stack
from millefeuille.testing.rawtars import directory, file, symlink


def _chain(count: int) -> bytes:
    """l1 leads to l2, that to l3 …, the last to the directory `end`."""
    links = [symlink(b"l%d" % n, b"l%d" % (n + 1)) for n in range(1, count)]
    return b"".join([directory(b"end"), *links, symlink(b"l%d" % count, b"end"), file(b"l1/f", b"1")])


_CHAIN_TREE = {
    b"end": "d",
    b"end/f": "f 1",
    b"l39": "l end",
    **{b"l%d" % n: f"l l{n + 1}" for n in range(1, 39)},
}
# The shape of CVE-2025-4517: a target so long that what it leads to passes the system's limit.
_LONG = b"/".join([b"d" * 254] * 16)

SYMLINKS: tuple[Case, ...] = (
    accept(
        "T2.01",
        "an absolute target",
        symlink(b"d", b"/victim"),
        file(b"d/f", b"1"),
        tree={b"d": "l /victim", b"victim": "d", b"victim/f": "f 1"},
    ),
    accept(
        "T2.02",
        "a target above the root",
        symlink(b"d", b"../../victim"),
        file(b"d/f", b"1"),
        tree={b"d": "l ../../victim", b"victim": "d", b"victim/f": "f 1"},
    ),
    accept("T2.03", "a chain of 39", _chain(39), tree=_CHAIN_TREE),
    refuse("T2.04", "a chain of 41", _chain(41), rule="loop"),
    refuse("T2.05", "a link to itself", symlink(b"a", b"a"), file(b"a/f"), rule="loop"),
    refuse(
        "T2.06",
        "two links to each other",
        symlink(b"a", b"b"),
        symlink(b"b", b"a"),
        file(b"a/f"),
        rule="loop",
    ),
    accept(
        "T2.07",
        "absolute through several links",
        symlink(b"a", b"/b/c"),
        symlink(b"b", b"/x"),
        symlink(b"x", b"y"),
        file(b"a/f", b"1"),
        tree={b"a": "l /b/c", b"b": "l /x", b"x": "l y", b"y": "d", b"y/c": "d", b"y/c/f": "f 1"},
    ),
    accept(
        "T2.08",
        "a link, then a directory of its name",
        directory(b"t"),
        symlink(b"d", b"t"),
        directory(b"d"),
        file(b"d/f", b"1"),
        tree={b"t": "d", b"d": "d", b"d/f": "f 1"},
    ),
    accept(
        "T2.09",
        "a directory, then a link of its name, then a file in it",
        directory(b"d"),
        file(b"d/gone"),
        symlink(b"d", b"e"),
        file(b"d/f", b"1"),
        tree={b"d": "l e", b"e": "d", b"e/f": "f 1"},
    ),
    accept(
        "T2.10",
        "a link to its own directory",
        symlink(b"a", b"."),
        file(b"a/a/a/f", b"1"),
        tree={b"a": "l .", b"f": "f 1"},
    ),
    refuse(
        "T2.11",
        "a link to a file as a directory",
        file(b"f"),
        symlink(b"link", b"f"),
        file(b"link/x"),
        rule="notdir",
    ),
    accept(
        "T2.12",
        "a link into /proc of the host",
        symlink(b"d", b"/proc/self/root"),
        file(b"d/f", b"1"),
        tree={
            b"d": "l /proc/self/root",
            b"proc": "d",
            b"proc/self": "d",
            b"proc/self/root": "d",
            b"proc/self/root/f": "f 1",
        },
    ),
    accept(
        "T2.13",
        "a link to an open file's parent",
        symlink(b"d", b"/proc/self/fd/3/.."),
        file(b"d/f", b"1"),
        tree={
            b"d": "l /proc/self/fd/3/..",
            b"proc": "d",
            b"proc/self": "d",
            b"proc/self/fd": "d",
            b"proc/self/fd/f": "f 1",
        },
    ),
    accept(
        "T2.14",
        "a name that only begins like a parent",
        symlink(b"..x", b"/"),
        file(b"..x/f", b"1"),
        tree={b"..x": "l /", b"f": "f 1"},
    ),
    accept(
        "T2.15",
        "a link to nothing becomes a directory",
        symlink(b"d", b"a/b"),
        file(b"d/f", b"1"),
        tree={b"d": "l a/b", b"a": "d", b"a/b": "d", b"a/b/f": "f 1"},
    ),
    stack(
        "T2.16",
        "a lower link, an upper directory",
        directory(b"t") + file(b"t/low") + symlink(b"d", b"t"),
        directory(b"d") + file(b"d/f", b"1"),
        tree={b"t": "d", b"t/low": "f ", b"d": "d", b"d/f": "f 1"},
    ),
    stack(
        "T2.17",
        "a lower directory, an upper link",
        directory(b"d") + file(b"d/low"),
        symlink(b"d", b"t") + file(b"d/f", b"1"),
        tree={b"d": "l t", b"t": "d", b"t/f": "f 1"},
    ),
    accept(
        "T2.18",
        "a link to the root",
        symlink(b"link", b"/"),
        file(b"link/etc/passwd", b"1"),
        tree={b"link": "l /", b"etc": "d", b"etc/passwd": "f 1"},
    ),
    refuse(
        "T2.19",
        "targets that add up to more than a path may have",
        symlink(b"s", _LONG),
        file(b"s/" + b"e" * 20),
        rule="length",
    ),
    refuse("T2.20a", "an empty target", symlink(b"a", b""), rule="link"),
    refuse("T2.20b", "a target of 4096 bytes", symlink(b"a", b"t" * 4096), rule="link"),
)
