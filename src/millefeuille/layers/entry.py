"""What a layer may hold: the kinds of entry, and one entry as a value."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from millefeuille.annotations import Final
from millefeuille.values import dataclass, field

FILE: Final = 1
DIRECTORY: Final = 2
SYMLINK: Final = 3
HARDLINK: Final = 4
CHARACTER: Final = 5
BLOCK: Final = 6
FIFO: Final = 7
WHITEOUT: Final = 8  # the path names what is gone from the layers below
OPAQUE: Final = 9  # the path names a directory whose content of the layers below is gone

# The type bits of st_mode by kind; a hard link has those of what it links, the marks have none.
TYPE_BITS: Final = (0, 0o100000, 0o040000, 0o120000, 0, 0o020000, 0o060000, 0o010000, 0, 0)

NO_XATTRS: Final[Mapping[bytes, bytes]] = MappingProxyType({})

# (offset, length) in bytes of each run of data of a sparse file; the runs lie one behind the other in the
# tar, everything between them reads as zeros.
SparseMap = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a layer. `path` is relative to the root, "" for the root itself.

    `size` is what reading the file gives, in bytes; `mode` the permissions without type bits; `mtime` in
    seconds and `nsec` nanoseconds since 1970; `link` the target of a symlink as written, or the path of
    the entry that a hard link names. `header` and `data` are offsets in the uncompressed tar. `content` is
    the blake3 digest of a regular file.
    """

    path: bytes
    kind: int
    size: int
    mode: int
    uid: int
    gid: int
    mtime: int
    nsec: int
    header: int
    data: int
    link: bytes = b""
    device: tuple[int, int] = (0, 0)
    content: bytes | None = None
    sparse: SparseMap | None = None
    xattrs: Mapping[bytes, bytes] = field(default_factory=lambda: NO_XATTRS, hash=False)
