"""SQLite's write-ahead log: a database with what a log beside it says was written since.

Source: SQLite, "Database File Format", section 4, "The Write-Ahead Log".
"""

from __future__ import annotations

import struct

from millefeuille.annotations import Final
from millefeuille.packages.package import BadRecord

_HEADER: Final = struct.Struct(">8I")  # magic, version, page size, sequence, two salts, two sums
_FRAME: Final = struct.Struct(">6I")  # page, pages of the database after a commit, two salts, two sums
_MAGIC: Final = 0x377F0682  # with the lowest bit set, sums are of big-endian words
_SUMMED: Final = 24, 8  # bytes of the header, and of a frame's, that sums are of
_MASK: Final = 0xFFFFFFFF
_GAP: Final = 64 << 20  # bytes of pages that nobody wrote: those that were freed at once
_LARGEST_PAGE: Final = 1 << 16, 1  # its size, and how a database's header says it


def with_log(database: bytes, log: bytes) -> bytes:
    """The database with all that was committed to its log, as SQLite reads it: up to the first frame that is
    not whole, or of an earlier log. Raises BadRecord for a log of another database.
    """
    pages, count, page_size = _committed(log)
    if not pages:
        return database
    large, said = _LARGEST_PAGE
    if database and int.from_bytes(database[16:18], "big") != (said if page_size == large else page_size):
        raise BadRecord("its write-ahead log has pages of another size")
    if count * page_size > len(database) + len(log) + _GAP:
        raise BadRecord("its write-ahead log speaks of pages that are nowhere")
    whole = bytearray(database[: count * page_size].ljust(count * page_size, b"\0"))
    for number, at in pages.items():
        if number <= count:
            whole[(number - 1) * page_size : number * page_size] = log[at : at + page_size]
    return bytes(whole)


def _committed(log: bytes) -> tuple[dict[int, int], int, int]:
    """Where in a log the last committed content of each page is; the pages of the database; their size."""
    pages: dict[int, int] = {}
    count = 0
    if len(log) < _HEADER.size:
        return pages, count, 0
    magic, _, page_size, _, *salts, first, second = _HEADER.unpack_from(log)
    order = ">" if magic & 1 else "<"
    sums = _sums(log[: _SUMMED[0]], order, (0, 0))
    if magic & ~1 != _MAGIC or sums != (first, second) or page_size % 8 or not page_size:
        return pages, count, 0
    written: dict[int, int] = {}
    for start in range(_HEADER.size, len(log) - _FRAME.size - page_size + 1, _FRAME.size + page_size):
        page, size, *found, first, second = _FRAME.unpack_from(log, start)
        content = start + _FRAME.size
        sums = _sums(log[start : start + _SUMMED[1]], order, sums)
        sums = _sums(log[content : content + page_size], order, sums)
        if found != salts or sums != (first, second) or not page:
            break
        written[page] = content
        if size:
            pages |= written
            written, count = {}, size
    return pages, count, page_size


def _sums(data: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    one, other = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for even, odd in zip(words[::2], words[1::2], strict=True):
        one = (one + even + other) & _MASK
        other = (other + odd + one) & _MASK
    return one, other
