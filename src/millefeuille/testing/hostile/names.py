"""Names that try to leave the root, or are longer, deeper or odder than expected."""

from __future__ import annotations

from millefeuille.testing.hostile.case import Case, accept, refuse
from millefeuille.testing.rawtars import directory, file, header, long_name, pax, symlink

_LONG = b"n" * 255
_LONG_PATH = b"/".join([b"p" * 255] * 15 + [b"q" * 255])  # 4095 bytes
_DEEP = b"/".join([b"d"] * 1023 + [b"f"])  # 1024 parts


def _parents(path: bytes) -> dict[bytes, str]:
    parts = path.split(b"/")
    return {b"/".join(parts[:n]): "d" for n in range(1, len(parts))}


NAMES: tuple[Case, ...] = (
    refuse("T1.01", "a parent reference", file(b"../x"), rule="escape"),
    refuse("T1.02", "more parent references than parts", file(b"a/../../x"), rule="escape"),
    accept("T1.03", "an absolute name", file(b"/etc/x", b"1"), tree={b"etc": "d", b"etc/x": "f 1"}),
    accept("T1.04", "doubled slashes", file(b"//etc//x", b"1"), tree={b"etc": "d", b"etc/x": "f 1"}),
    accept("T1.05", "dots in front", file(b"./././x", b"1"), tree={b"x": "f 1"}),
    accept("T1.06", "dots inside", file(b"a/./b/../c", b"1"), tree={b"a": "d", b"a/c": "f 1"}),
    refuse("T1.07", "the parent alone", directory(b".."), rule="escape"),
    refuse("T1.08", "the root's parent", directory(b"/.."), rule="escape"),
    refuse("T1.09", "no name", file(b"", b"1"), rule="name"),
    refuse("T1.10", "the root as a file", file(b"."), rule="root"),
    accept(
        "T1.11",
        "the root's own metadata",
        directory(b"/", mode=0o700, uid=7),
        tree={},
        attributes={b"": {"mode": 0o040700, "uid": 7}},
    ),
    refuse("T1.12", "the root as a symlink", symlink(b"/", b"/victim"), rule="root"),
    refuse("T1.13", "the root as a symlink, with a dot", symlink(b"/.", b"/victim"), rule="root"),
    accept("T1.14", "a name of 255 bytes", pax({b"path": _LONG}), file(b"x"), tree={_LONG: "f "}),
    refuse("T1.15", "a name of 256 bytes", pax({b"path": _LONG + b"n"}), file(b"x"), rule="length"),
    accept(
        "T1.16",
        "a path of 4095 bytes",
        pax({b"path": _LONG_PATH}),
        file(b"x"),
        tree={**_parents(_LONG_PATH), _LONG_PATH: "f "},
    ),
    refuse("T1.17", "a longer path", pax({b"path": _LONG_PATH + b"/r"}), file(b"x"), rule="length"),
    accept(
        "T1.18a",
        "a path of 1024 parts",
        pax({b"path": _DEEP}),
        file(b"x"),
        tree={**_parents(_DEEP), _DEEP: "f "},
    ),
    refuse("T1.18b", "a path of 1025 parts", pax({b"path": b"d/" + _DEEP}), file(b"x"), rule="depth"),
    refuse("T1.19", "a NUL in a PAX path", pax({b"path": b"a\0b"}), file(b"x"), rule="pax"),
    accept(
        "T1.20",
        "a GNU long name with NULs behind it",
        long_name(b"long", padding=20),
        file(b"x", b"1"),
        tree={b"long": "f 1"},
    ),
    accept("T1.21", "bytes that are no UTF-8", file(b"\xff\xfe", b"1"), tree={b"\xff\xfe": "f 1"}),
    accept("T1.22", "a newline and an escape", file(b"a\n\x1b[31mb"), tree={b"a\n\x1b[31mb": "f "}),
    accept(
        "T1.23",
        "backslashes and drives are plain",
        file(b"C:\\..\\x"),
        file(b"..\\y"),
        tree={b"C:\\..\\x": "f ", b"..\\y": "f "},
    ),
    accept("T1.24", "a slash behind a file's name", header(b"d/", b"\0"), tree={b"d": "d"}),
)
