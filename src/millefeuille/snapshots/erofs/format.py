"""EROFS as it lies on disk: the structures the image writer fills. All little-endian, blocks of 512 bytes.

Source: fs/erofs/erofs_fs.h of the Linux kernel, and Documentation/filesystems/erofs.rst.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct

from millefeuille.annotations import Final
from millefeuille.errors import Unsupported
from millefeuille.values import dataclass

BLOCK_BITS: Final = 9
BLOCK: Final = 1 << BLOCK_BITS  # bytes; file data in a tar starts at multiples of this
SLOT_BITS: Final = 5
SLOT: Final = 1 << SLOT_BITS  # bytes; an inode's number (nid) is its position in these units

PLAIN: Final = 1  # i_format: extended inode, data in blocks
INLINE: Final = 1 | 2 << 1  # the same with the tail behind the inode
CHUNKED: Final = 1 | 4 << 1  # the same with an index of chunks behind the inode
CHUNK_INDEXES: Final = 0x20  # chunk format: records of eight bytes that name a device
MAXIMUM_CHUNK_BITS: Final = BLOCK_BITS + 31
HOLE: Final = 0xFFFFFFFF  # start block of a chunk that has no data

INODE: Final = Struct("<HHHHQIIIIqII16x")
INODE_UNION: Final = 16  # offset in an inode: start block, chunk format or device number
INODE_LINKS: Final = 44  # offset in an inode: link count
# An inode of one chunk and no attributes, padded to whole slots: what nearly every file is.
ONE_CHUNK_INODE: Final = Struct("<HHHHQIIIIqII16xHHI24x")
CHUNK: Final = Struct("<HHI")  # high half of the address, device, start block in that device
DIRENT: Final = Struct("<QHBB")  # nid, offset of the name in the block, type, 0
WORD: Final = Struct("<I")

SUPER_OFFSET: Final = 1024
DEVICE_TABLE_SLOT: Final = 9  # in units of 128 bytes: right behind the super block
METADATA_OFFSET: Final = DEVICE_TABLE_SLOT * 128

_MAGIC: Final = 0xE0F5E1E2
_COMPATIBLE: Final = 0x1 | 0x2  # checksum, per-inode mtime
_CHUNKED_FILES: Final = 0x4
_DEVICE_TABLE: Final = 0x8
_SUPER: Final = Struct("<IIIBBHQQIIII16s16sIHHHB37x")
_DEVICE: Final = Struct("<64sIIHH52x")
_CHECKSUM_OFFSET: Final = 4
_MAXIMUM_DEVICES: Final = 0x3FF0  # with more, the root inode's number would not fit the super block


class ImageTooLarge(Unsupported):
    """The tree or its layers exceed what the on-disk format can address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """An extra device: one layer's tar. `tag` is the hex of its diff ID, `size` in bytes."""

    tag: str
    size: int

    @property
    def blocks(self) -> int:
        """The size in blocks, the last one perhaps not full."""
        return (self.size + BLOCK - 1) >> BLOCK_BITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the super block says: the root's nid, the number of inodes, the blocks of the image and the block
    where shared extended attributes begin (0 for none)."""

    root: int
    inodes: int
    blocks: int
    shared_xattrs: int
    uuid: bytes


def header_size(devices: Sequence[Device]) -> int:
    """The bytes in front of the first inode. Raises ImageTooLarge."""
    if len(devices) > _MAXIMUM_DEVICES:
        raise ImageTooLarge(f"{len(devices)} layers are more than an EROFS image can refer to")
    for device in devices:
        if device.blocks > 0xFFFFFFFF:
            raise ImageTooLarge(f"layer {device.tag[:12]}: larger than an EROFS device can be")
    return METADATA_OFFSET + len(devices) * 128


def fill_header(image: bytearray, devices: Sequence[Device], summary: Summary) -> None:
    """Write the super block and the device table into the front of `image`."""
    start = (summary.blocks + 7) & ~7
    for index, device in enumerate(devices):
        blocks = device.blocks
        # Every chunk names its device; the address in one flat space only serves tools, 0 says there is none.
        address = start if start + blocks <= 0xFFFFFFFF else 0
        _DEVICE.pack_into(
            image, METADATA_OFFSET + index * 128, device.tag.encode()[:64], blocks, address, 0, 0
        )
        start += blocks
    incompatible = _CHUNKED_FILES | (_DEVICE_TABLE if devices else 0)
    table = DEVICE_TABLE_SLOT if devices else 0
    fields = (_MAGIC, 0, _COMPATIBLE, BLOCK_BITS, 0, summary.root, summary.inodes, 0, 0, summary.blocks, 0)
    tail = (summary.shared_xattrs, summary.uuid, b"", incompatible, 0, len(devices), table, 0)
    _SUPER.pack_into(image, SUPER_OFFSET, *fields, *tail)
    checksum = crc32c(image[SUPER_OFFSET : SUPER_OFFSET + BLOCK])
    WORD.pack_into(image, SUPER_OFFSET + _CHECKSUM_OFFSET, checksum)


def _crc32c_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ 0x82F63B78 if value & 1 else value >> 1
        table.append(value)
    return tuple(table)


_CRC32C: Final = _crc32c_table()


def crc32c(data: bytes | bytearray) -> int:
    """CRC-32C as the kernel computes it here: all ones at the start, not inverted at the end."""
    value = 0xFFFFFFFF
    for byte in data:
        value = _CRC32C[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value
