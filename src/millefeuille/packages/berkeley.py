"""Berkeley DB's hash files: what rpm kept its packages in before 4.16.

Source: Berkeley DB 5.3, dbinc/db_page.h (pages, items) and dbinc/hash.h (the metadata page).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from millefeuille.annotations import Final
from millefeuille.packages.package import BadRecord
from millefeuille.values import dataclass

_MAGIC: Final = 0x061561
_MAGIC_AT, _PAGE_SIZE_AT, _ENCRYPTION_AT, _LAST_PAGE_AT = 12, 20, 24, 32
_PAGE_SIZES: Final = frozenset(1 << power for power in range(9, 17))  # bytes
_HEADER: Final = 26  # bytes of a page in front of its items
_NEXT_AT, _COUNT_AT, _FILLED_AT, _TYPE_AT = 16, 20, 22, 25
_UNSORTED, _OVERFLOW, _SORTED = 2, 7, 13  # types of pages
_INLINE, _ELSEWHERE = 1, 3  # types of items
_ELSEWHERE_SIZE: Final = 12  # bytes: type, three of nothing, page, length


def hash_items(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of a hash file, in the order of its pages. Raises BadRecord."""
    try:
        file, left = _opened(raw), len(raw)
        for number in range(1, file.pages):
            if file.byte(number, _TYPE_AT) not in (_UNSORTED, _SORTED):
                continue
            items = file.items(number)
            for key, value in zip(items, items, strict=True):
                left -= len(key) + len(value)
                if left < 0:
                    raise BadRecord("items of Berkeley DB share their pages")
                yield key, value
    except (struct.error, IndexError, ValueError) as error:
        raise BadRecord(f"not a database of Berkeley DB ({error})") from error


def _opened(raw: bytes) -> _File:
    for order in "<>":  # that of the machine which wrote it
        if struct.unpack_from(f"{order}I", raw, _MAGIC_AT)[0] == _MAGIC:
            break
    else:
        raise BadRecord("not a hash file of Berkeley DB")
    (size,) = struct.unpack_from(f"{order}I", raw, _PAGE_SIZE_AT)
    (last,) = struct.unpack_from(f"{order}I", raw, _LAST_PAGE_AT)
    if size not in _PAGE_SIZES or raw[_ENCRYPTION_AT]:
        raise BadRecord("a database of Berkeley DB with pages that are none, or encrypted")
    if (last + 1) * size > len(raw):
        raise BadRecord("a database of Berkeley DB that is cut off")
    return _File(raw=raw, order=order, page_size=size, pages=last + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """A hash file; `order` is struct's mark for its byte order."""

    raw: bytes
    order: str
    page_size: int
    pages: int

    def byte(self, page: int, at: int) -> int:
        return self.raw[page * self.page_size + at]

    def items(self, page: int) -> Iterator[bytes]:
        """The items of a page of the table: a key, its value, the next key …"""
        raw = self.raw[page * self.page_size : (page + 1) * self.page_size]
        (count,) = struct.unpack_from(f"{self.order}H", raw, _COUNT_AT)
        # Items fill a page from its end, so each ends where the one before it begins.
        end = self.page_size
        for begin in struct.unpack_from(f"{self.order}{count}H", raw, _HEADER):
            if not _HEADER <= begin < end:
                raise BadRecord("a page of Berkeley DB has items in each other")
            yield self._item(raw[begin:end])
            end = begin

    def _item(self, item: bytes) -> bytes:
        if item[0] == _INLINE:
            return item[1:]
        if item[0] != _ELSEWHERE or len(item) != _ELSEWHERE_SIZE:
            raise BadRecord(f"an item of Berkeley DB of a kind ({item[0]}) that rpm does not write")
        page, size = struct.unpack_from(f"{self.order}2I", item, 4)
        return self._overflow(page, size)

    def _overflow(self, page: int, size: int) -> bytes:
        """What lies on a chain of pages of its own, `size` bytes long."""
        pieces: list[bytes] = []
        left = size
        if size > len(self.raw):
            raise BadRecord("an item of Berkeley DB is larger than all of it")
        while left > 0:
            if not 0 < page < self.pages or self.byte(page, _TYPE_AT) != _OVERFLOW:
                raise BadRecord("an item of Berkeley DB goes on where nothing is")
            at = page * self.page_size
            (filled,) = struct.unpack_from(f"{self.order}H", self.raw, at + _FILLED_AT)
            if not 0 < filled <= min(left, self.page_size - _HEADER):
                raise BadRecord("a page of Berkeley DB is not as full as it says")
            pieces.append(self.raw[at + _HEADER : at + _HEADER + filled])
            left -= filled
            (page,) = struct.unpack_from(f"{self.order}I", self.raw, at + _NEXT_AT)
        return b"".join(pieces)
