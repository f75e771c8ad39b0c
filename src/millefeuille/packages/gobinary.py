"""Go's modules: those that an executable says it was built from.

Source: Go, debug/buildinfo; the form since Go 1.18, in which the texts follow the mark.
"""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.annotations import Final
from millefeuille.packages.package import GO, Package

_MARK: Final = b"\xff Go buildinf:"
_ALIGNMENT: Final = 16
_FLAGS: Final = 15  # where in the header they are
_INLINE: Final = 2
_TEXTS: Final = 32
_SENTINEL: Final = 16  # bytes before and after the list of modules
_LONGEST: Final = 16 << 20
_DEVELOPED: Final = "(devel)"  # built from a tree that has no version


def go_packages(raw: bytes, location: bytes = b"") -> Iterator[Package]:
    """The modules in an executable, its standard library first; none for what Go did not build."""
    found = _texts(raw)
    if found is None:
        return
    release, modules = found
    yield _package("stdlib", release.removeprefix("go").split(" ")[0], location)
    last: tuple[str, str] | None = None
    for line in modules.splitlines():
        fields = line.split("\t")
        if fields[0] in ("mod", "dep") and len(fields) > 2:
            if last is not None:
                yield _package(*last, location)
            last = None if fields[2] == _DEVELOPED else (fields[1], fields[2])
        elif fields[0] == "=>" and len(fields) > 2:  # is built from this in place of the one before
            last = fields[1], fields[2]
    if last is not None:
        yield _package(*last, location)


def _package(name: str, version: str, location: bytes) -> Package:
    return Package(kind=GO, name=name, version=version, location=location)


def _texts(raw: bytes) -> tuple[str, str] | None:
    """The release of Go, and the list of modules."""
    start = raw.find(_MARK)
    while start >= 0:
        if start % _ALIGNMENT == 0 and len(raw) > start + _TEXTS and raw[start + _FLAGS] & _INLINE:
            release, after = _text(raw, start + _TEXTS)
            modules, _ = _text(raw, after)
            if release.startswith((b"go", b"devel")):
                listed = modules[_SENTINEL:-_SENTINEL].decode(errors="replace")
                return release.decode(errors="replace"), listed
        start = raw.find(_MARK, start + 1)
    return None


def _text(raw: bytes, at: int) -> tuple[bytes, int]:
    """Bytes after their length, a varint; nothing where there is no such length."""
    length = shift = 0
    while at < len(raw) and shift < 35:
        byte = raw[at]
        at += 1
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (raw[at : at + length], at + length) if length <= _LONGEST else (b"", at)
    return b"", at
