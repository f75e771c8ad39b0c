"""Archives for a context, written with Python's tarfile."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable, Mapping

from tests.walks.building.context import MTIME

PACK: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    "gz": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


def tar(members: Mapping[str, str | tarfile.TarInfo], *, pack: str = "") -> bytes:
    """An archive of texts and of members without content; compressed if asked."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, thing in members.items():
            if isinstance(thing, str):
                data = thing.encode()
                header = member(name)
                header.size = len(data)
                archive.addfile(header, io.BytesIO(data))
            else:
                thing.name = name
                archive.addfile(thing)
    return PACK[pack](out.getvalue())


def member(
    name: str = "", kind: bytes = tarfile.REGTYPE, *, mode: int = 0o644, owner: tuple[int, int] = (5, 6),
    to: str = "", mtime: int = MTIME,
) -> tarfile.TarInfo:  # fmt: skip
    """One header."""
    header = tarfile.TarInfo(name)
    header.type, header.mode, header.mtime, header.linkname = kind, mode, mtime, to
    header.uid, header.gid = owner
    return header


def folder(mode: int = 0o755, owner: tuple[int, int] = (5, 6)) -> tarfile.TarInfo:
    """A directory."""
    return member(kind=tarfile.DIRTYPE, mode=mode, owner=owner)


def link(to: str, *, hard: bool = False) -> tarfile.TarInfo:
    """A link to another name."""
    return member(kind=tarfile.LNKTYPE if hard else tarfile.SYMTYPE, to=to, mode=0o644 if hard else 0o777)
