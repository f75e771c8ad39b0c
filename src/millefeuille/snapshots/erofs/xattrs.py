"""Extended attributes in an EROFS image: each name and value is stored once, inodes refer to it.

Source: fs/erofs/erofs_fs.h of the Linux kernel, "xattr".
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct

from millefeuille.annotations import Final
from millefeuille.snapshots.erofs.format import WORD, ImageTooLarge

_HEADER: Final = Struct("<IB7x")  # name filter, number of shared entries
_ENTRY: Final = Struct("<BBH")  # length of the name without prefix, prefix, length of the value
_PREFIXES: Final = (
    (b"user.", 1),
    (b"system.posix_acl_access", 2),
    (b"system.posix_acl_default", 3),
    (b"trusted.", 4),
    (b"security.", 6),
)
_MAXIMUM_SHARED: Final = 0xFF
_OVERLAY: Final = b"trusted.overlay."


class XattrTable:
    """The attributes of one image.

    An entry costs its inode four bytes; the entry itself stands in the shared area, however many inodes
    have it. Attributes that the on-disk format has no prefix for are left out, and so are overlayfs's own,
    with which a layer could steer the overlay that will stand on the image; but for `marks` of our own.
    """

    def __init__(self, *, marks: bool = False) -> None:
        self._marks = marks
        self.area = bytearray()
        self._entries: dict[tuple[bytes, bytes], int] = {}
        self._encoded: dict[tuple[tuple[bytes, bytes], ...], bytes] = {}

    def encode(self, xattrs: Mapping[bytes, bytes]) -> bytes:
        """What stands behind an inode with these attributes; b"" for none. Raises ImageTooLarge."""
        key = tuple(sorted(xattrs.items()))
        encoded = self._encoded.get(key)
        if encoded is None:
            encoded = self._encoded[key] = self._encode(key)
        return encoded

    def _encode(self, items: tuple[tuple[bytes, bytes], ...]) -> bytes:
        shared: list[int] = []
        inline: list[bytes] = []
        for name, value in items:
            entry = None if name.startswith(_OVERLAY) and not self._marks else _entry(name, value)
            if entry is None:
                continue
            if len(shared) < _MAXIMUM_SHARED:
                shared.append(self._share(name, value, entry))
            else:
                inline.append(entry)
        if not shared:
            return b""
        references = b"".join(map(WORD.pack, shared))
        return _HEADER.pack(0, len(shared)) + references + b"".join(inline)

    def _share(self, name: bytes, value: bytes, entry: bytes) -> int:
        """The number of an entry: its offset in the shared area in units of four bytes."""
        number = self._entries.get((name, value))
        if number is None:
            number = self._entries[name, value] = len(self.area) >> 2
            self.area += entry
        return number


def count(encoded: bytes) -> int:
    """The i_xattr_icount of an inode that is followed by `encoded`. Raises ImageTooLarge."""
    if not encoded:
        return 0
    words = (len(encoded) - _HEADER.size) // 4 + 1
    if words > 0xFFFF:
        raise ImageTooLarge("the extended attributes of one file exceed 256 KiB")
    return words


def _entry(name: bytes, value: bytes) -> bytes | None:
    prefix, index = next((known for known in _PREFIXES if name.startswith(known[0])), (b"", 0))
    if not index:
        return None
    rest = name[len(prefix) :]
    if index in (2, 3) and rest:
        return None
    if len(rest) > 0xFF or len(value) > 0xFFFF:
        raise ImageTooLarge(f"extended attribute {name[:40]!r}: name or value too long")
    entry = _ENTRY.pack(len(rest), index, len(value)) + rest + value
    return entry + bytes(-len(entry) % 4)
