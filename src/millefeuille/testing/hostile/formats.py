"""The container itself: ends, checksums, dialects, extension headers, sparse files."""

from __future__ import annotations

from millefeuille.testing.hostile.case import Case, accept, raw, refuse
from millefeuille.testing.rawtars import (
    END,
    GNU,
    V7,
    archive,
    base256,
    directory,
    extension,
    file,
    hardlink,
    header,
    long_name,
    old_sparse,
    pax,
    pax_sparse,
    record,
    symlink,
)

_X = file(b"x", b"1")
_TREE = {b"x": "f 1"}
_INNER = archive(file(b"inner", b"evil"))
_RUNS = [(3, 2), (10, 1)]
_SPARSE = {b"x": "f \0\0\0ab\0\0\0\0\0c\0"}
_MANY_RUNS = [(4 * n, 1) for n in range(50)]
_MANY_SPARSE = {b"x": "f " + "".join(chr(65 + n % 26) + "\0\0\0" for n in range(50))}
_LETTERS = bytes(65 + n % 26 for n in range(50))


def _signed(block: bytes) -> bytes:
    name = b"\xfffile"
    plain = header(name, size=1)
    signed = sum(byte - 256 if byte > 127 else byte for byte in plain[:148] + b" " * 8 + plain[156:])
    return header(name, size=1, checksum=signed) + block


FORMATS: tuple[Case, ...] = (
    raw("T7.01", "nothing", b"", tree={}),
    raw("T7.02a", "one block of zeros", bytes(512), tree={}),
    refuse("T7.02b", "an entry behind one block of zeros", _X, bytes(512), file(b"y"), rule="end"),
    raw("T7.03", "two blocks of zeros", END, tree={}),
    raw("T7.04", "no end blocks", _X, tree=_TREE),
    raw("T7.05a", "511 bytes", _X[:511], refused="truncated"),
    raw("T7.05b", "an end within the data", _X[:512], refused="truncated"),
    raw("T7.05c", "no byte behind the last data", _X[:513], tree=_TREE),
    raw("T7.05d", "an end within what fills up the last block", _X[:-1], tree=_TREE),
    raw("T7.05e", "an end within an extension's last block", pax({b"path": b"y"})[:-1], refused="extension"),
    refuse("T7.06", "a wrong checksum", header(b"x", checksum=1), rule="checksum"),
    raw("T7.07", "a checksum of signed bytes", _signed(b"1" + bytes(511)), tree={b"\xfffile": "f 1"}),
    accept("T7.08", "V7", file(b"x", b"1", magic=V7), directory(b"d/", magic=V7), tree={**_TREE, b"d": "d"}),
    accept(
        "T7.09",
        "the prefix of ustar",
        file(b"x", b"1", prefix=b"a/b"),
        tree={
            b"a": "d",
            b"a/b": "d",
            b"a/b/x": "f 1",
        },
    ),
    accept(
        "T7.10",
        "the shorter prefix of star",
        file(b"x", b"1", prefix=b"p" * 131 + b"00000000000 00000000000 ", tail=b"tar\0"),
        tree={b"p" * 131: "d", b"p" * 131 + b"/x": "f 1"},
    ),
    accept(
        "T7.11a",
        "GNU long names",
        long_name(b"n" * 150),
        long_name(b"t" * 200, b"K"),
        symlink(b"cut", b"cut", magic=GNU),
        tree={b"n" * 150: "l " + "t" * 200},
    ),
    refuse("T7.12", "a long name with no entry", _X, long_name(b"n" * 150), rule="extension"),
    accept("T7.13", "a long target for a file", long_name(b"t" * 150, b"K"), _X, tree=_TREE),
    refuse("T7.14", "17 extension headers", *[pax({b"comment": b"c"}, b"g")] * 17, _X, rule="extension"),
    refuse(
        "T7.15a",
        "an own, a global and an own header",
        pax({b"path": b"y"}),
        pax({b"comment": b"c"}, b"g"),
        pax({b"uid": b"1"}),
        _X,
        rule="extension",
    ),
    refuse("T7.16", "a PAX length that is wrong", extension(b"x", b"11 path=y\n"), _X, rule="pax"),
    refuse("T7.17", "a PAX record without its newline", extension(b"x", b"9 path=yy"), _X, rule="pax"),
    refuse("T7.18", "a negative PAX length", extension(b"x", b"-9 path=y\n"), _X, rule="pax"),
    refuse("T7.19", "an empty PAX key", extension(b"x", record(b"", b"y")), _X, rule="pax"),
    accept(
        "T7.20",
        "a PAX size above the header's hides no tar in the data",
        pax({b"size": b"%d" % len(_INNER)}),
        header(b"x", size=0),
        _INNER,
        tree={b"x": "f " + _INNER.decode("latin-1")},
    ),
    accept(
        "T7.21",
        "a PAX size below the header's",
        pax({b"size": b"1"}),
        header(b"x", size=2000),
        b"1" + bytes(511),
        file(b"y"),
        tree={**_TREE, b"y": "f "},
    ),
    accept("T7.22", "a size with spaces", header(b"x", size=b"         1  "), b"1" + bytes(511), tree=_TREE),
    refuse("T7.23", "a negative size in base 256", header(b"x", size=base256(-1, 12)), rule="number"),
    refuse("T7.24", "a size of 2^63", header(b"x", size=base256(1 << 63, 12)), rule="size"),
    accept(
        "T7.25",
        "sizes where there is no data",
        directory(b"d", size=512),
        symlink(b"s", b"x", size=1000),
        header(b"p", b"6", size=1),
        _X,
        tree={**_TREE, b"d": "d", b"s": "l x", b"p": "p"},
    ),
    accept("T7.26a", "a sparse file of old GNU", old_sparse(b"x", _RUNS, 12, b"abc"), tree=_SPARSE),
    accept(
        "T7.26b",
        "with a map in several blocks",
        old_sparse(b"x", _MANY_RUNS, 200, _LETTERS),
        tree=_MANY_SPARSE,
    ),
    *(
        accept(
            f"T7.26{letter}",
            f"a sparse file of PAX {version}",
            pax_sparse(b"x", _RUNS, 12, b"abc", version),
            file(b"y"),
            tree={**_SPARSE, b"y": "f "},
        )
        for letter, version in (("c", "0.0"), ("d", "0.1"), ("e", "1.0"))
    ),
    accept("T7.26f", "all hole", old_sparse(b"x", [], 3, b""), tree={b"x": "f \0\0\0"}),
    *(
        refuse(f"T7.27{letter}", about, pax_sparse(b"x", runs, 12, b"abc", "1.0"), rule="sparse")
        for letter, about, runs in (
            ("a", "runs that overlap", [(3, 2), (4, 1)]),
            ("b", "runs that go back", [(10, 1), (3, 2)]),
            ("c", "runs past the file's end", [(3, 2), (12, 1)]),
            ("d", "runs longer than the data", [(3, 2), (10, 2)]),
        )
    ),
    refuse(
        "T7.27e",
        "a map of more than 1 MiB",
        pax_sparse(
            b"x", [(n, 0) for n in range(1_000_000, 1_065_537)] + [(2_000_000, 3)], 2_000_003, b"abc", "1.0"
        ),
        rule="sparse",
    ),
    refuse("T7.28", "a part of a multi-volume file", header(b"x", b"M", size=0), rule="type"),
    accept(
        "T7.29",
        "a GNU dump directory",
        file(b"d/", b"Yx\0\0", kind=b"D", magic=GNU),
        _X,
        tree={
            **_TREE,
            b"d": "d",
        },
    ),
    accept(
        "T7.30",
        "an extended header of Solaris",
        extension(b"X", record(b"path", b"x")),
        file(b"y", b"1"),
        tree=_TREE,
    ),
    raw("T7.31", "a tar behind a tar", archive(_X) + archive(file(b"y")), tree=_TREE),
    raw("T7.32", "other bytes behind the end", archive(_X) + b"garbage", tree=_TREE),
    refuse(
        "T7.11b",
        "two names that contradict each other",
        long_name(b"a"),
        pax({b"path": b"b"}),
        _X,
        rule="extension",
    ),
    refuse("T7.15b", "two own headers", pax({b"path": b"a"}), pax({b"uid": b"1"}), _X, rule="extension"),
    accept(
        "T7.15c",
        "a hard link out of a global header",
        _X,
        pax({b"linkpath": b"x"}, b"g"),
        hardlink(b"l", b"y"),
        tree={**_TREE, b"l": "f 1"},
    ),
)
