"""The header of an image."""

from __future__ import annotations

import pytest

from millefeuille.snapshots.erofs.format import (
    DIRENT,
    INODE,
    ONE_CHUNK_INODE,
    Device,
    ImageTooLarge,
    crc32c,
    header_size,
)

LAYER = Device(tag="a" * 64, size=1 << 30)


def test_checksum() -> None:
    # RFC 3720, appendix B.4, whose values are inverted at the end.
    assert crc32c(bytes(32)) ^ 0xFFFFFFFF == 0x8A9136AA
    assert crc32c(b"\xff" * 32) ^ 0xFFFFFFFF == 0x62A8AB43
    assert crc32c(b"123456789") ^ 0xFFFFFFFF == 0xE3069283


def test_sizes() -> None:
    # struct erofs_inode_extended and erofs_dirent of the kernel's erofs_fs.h.
    assert (INODE.size, DIRENT.size, ONE_CHUNK_INODE.size % 32) == (64, 12, 0)


@pytest.mark.parametrize("devices", [0, 1, 127, 0x3FF0])
def test_the_root_can_always_be_named(devices: int) -> None:
    assert header_size([LAYER] * devices) // 32 < 1 << 16


def test_too_much() -> None:
    with pytest.raises(ImageTooLarge):
        header_size([LAYER] * 0x3FF1)
    with pytest.raises(ImageTooLarge):
        header_size([LAYER, Device(tag="a" * 64, size=1 << 41)])
