"""Halves: many files read on two processors, by this process and a copy of it.

Reading a small file is a handful of system calls with as much Python around them, so threads of one process
take turns rather than share the work.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby

from millefeuille.annotations import Final
from millefeuille.build.sources import reading
from millefeuille.build.sources.reading import Read, Wanted
from millefeuille.errors import MilleError
from millefeuille.layers.entry import NO_XATTRS
from millefeuille.layers.schema import pack_xattrs, unpack_xattrs
from millefeuille.transfer.beside import Beside, helpers

MANY: Final = 2000  # files and directories below which a copy takes longer to make than it saves
_BYTES: Final = 100_000  # that take as long to read as it takes to open a file
_ROW: Final = struct.Struct("<Qq32sI")  # number, when it was begun, content, length of the attributes


def read(root: int, wanted: Sequence[Wanted]) -> dict[int, Read]:
    """As `reading.read`."""
    if len(wanted) < MANY or not helpers():
        return reading.read(root, wanted)
    near, far = _cut(wanted)
    with Beside(partial(_told, root, far)) as helper:
        found = reading.read(root, near)
        parts = helper.parts()
    if parts is None:  # it could not, or found what is an error
        return found | reading.read(root, far)
    return found | dict(_taken(parts[0]))


def _cut(wanted: Sequence[Wanted]) -> tuple[Sequence[Wanted], Sequence[Wanted]]:
    """Two parts that take about the same time; files in a row of one directory stay together."""
    costs = [1 + item.status.st_size // _BYTES for item in wanted]
    half, at, cost = sum(costs) / 2, 0, 0
    for _, group in groupby(wanted, key=reading.directory):
        size = sum(1 for _ in group)
        if cost >= half:
            break
        cost += sum(costs[at : at + size])
        at += size
    return wanted[:at], wanted[at:]


def _told(root: int, wanted: Sequence[Wanted]) -> Iterator[bytes]:
    """What is read of them, in one piece; nothing at all where that is an error."""
    try:
        found = reading.read(root, wanted)
    except MilleError:
        return
    rows = []
    for number, one in found.items():
        xattrs = pack_xattrs(sorted(one.xattrs.items()))
        rows.append(_ROW.pack(number, one.started, one.content, len(xattrs)) + xattrs)
    yield b"".join(rows)


def _taken(told: memoryview) -> Iterator[tuple[int, Read]]:
    at = 0
    while at < len(told):
        number, started, content, length = _ROW.unpack_from(told, at)
        at += _ROW.size
        xattrs: Mapping[bytes, bytes] = unpack_xattrs(bytes(told[at : at + length])) if length else NO_XATTRS
        yield number, Read(content, xattrs, started)
        at += length
