"""ndb: rpm's own database, `Packages.db`, which SUSE uses.

Source: rpm, lib/backend/ndb/rpmpkg.c.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from zlib import adler32

from millefeuille.annotations import Final
from millefeuille.packages.package import BadRecord

_HEADER: Final = struct.Struct("<4s4I12x")  # magic, version, generation, pages of slots, next package
_SLOT: Final = struct.Struct("<4s3I")  # magic, package, its first block, how many
_HEAD: Final = struct.Struct("<4s3I")  # magic, package, generation, bytes
_TAIL: Final = struct.Struct("<2I4s")  # Adler-32 of all before it, bytes, magic
_MAGIC, _SLOT_MAGIC, _HEAD_MAGIC, _TAIL_MAGIC = b"RpmP", b"Slot", b"BlbS", b"BlbE"
_PAGE: Final = 4096  # bytes
_BLOCK: Final = 16  # bytes


def blobs(raw: bytes) -> Iterator[bytes]:
    """What is kept of each package. Raises BadRecord."""
    try:
        magic, version, _, pages, _ = _HEADER.unpack_from(raw)
        if magic != _MAGIC or version:
            raise BadRecord("not a database of ndb")
        if pages * _PAGE > len(raw):
            raise BadRecord("a database of ndb that is cut off")
        left = len(raw)
        for kept, package, block, blocks in _SLOT.iter_unpack(raw[_HEADER.size : pages * _PAGE]):
            left -= blocks * _BLOCK if block else 0
            if kept != _SLOT_MAGIC or left < 0:
                raise BadRecord("a database of ndb with a slot that is none")
            if block and package:
                yield _blob(raw[block * _BLOCK : (block + blocks) * _BLOCK], package)
    except struct.error as error:
        raise BadRecord(f"not a database of ndb ({error})") from error


def _blob(space: bytes, package: int) -> bytes:
    magic, owner, _, size = _HEAD.unpack_from(space)
    # What is left of the last block lies in front of the tail.
    end = len(space) - _TAIL.size
    total, again, tail = _TAIL.unpack_from(space, end)
    if (magic, owner, tail, again) != (_HEAD_MAGIC, package, _TAIL_MAGIC, size) or size > end - _HEAD.size:
        raise BadRecord("a package of ndb is not where its slot says")
    if adler32(space[:end]) != total:
        raise BadRecord("a package of ndb is damaged")
    return space[_HEAD.size : _HEAD.size + size]
