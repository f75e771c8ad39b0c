"""Where a file's bytes lie: its chunks, each a run of blocks in a layer's tar, or a hole."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.annotations import Final
from millefeuille.errors import Unsupported
from millefeuille.snapshots.erofs.format import (
    BLOCK,
    BLOCK_BITS,
    CHUNK,
    CHUNK_INDEXES,
    HOLE,
    MAXIMUM_CHUNK_BITS,
    ImageTooLarge,
)

_MAXIMUM_CHUNKS: Final = 1 << 20  # of a sparse file: 8 MiB of records


class UnmappableFile(Unsupported):
    """A sparse file's data do not stand at whole blocks in the tar."""


def chunk_bits(size: int) -> int:
    """The logarithm of the chunk size for a file of `size` > 0 bytes: one chunk for nearly every file."""
    return min(BLOCK_BITS + (size - 1 >> BLOCK_BITS).bit_length(), MAXIMUM_CHUNK_BITS)


def chunk_format(bits: int) -> int:
    """What the inode says of chunks of `1 << bits` bytes."""
    return bits - BLOCK_BITS | CHUNK_INDEXES


def dense(size: int, offset: int, device: int, bits: int) -> bytes:
    """The records of a file whose bytes stand in one run, from `offset` in the tar on."""
    first, step = block(offset), 1 << (bits - BLOCK_BITS)
    chunks = -(-size >> bits)
    block(offset + (chunks - 1 << bits))  # the last one must have an address, too
    return b"".join(CHUNK.pack(0, device, first + index * step) for index in range(chunks))


def sparse(size: int, offset: int, device: int, segments: Sequence[tuple[int, int]]) -> tuple[int, bytes]:
    """Chunk bits and records of a sparse file.

    `segments` are (position in the file, length), rising; their bytes stand one behind the other in the tar,
    from `offset` on. Raises UnmappableFile when they are not whole blocks, ImageTooLarge.
    """
    filled = [(start, length) for start, length in segments if length]
    bits = _common_bits(size, filled)
    if bits < BLOCK_BITS:
        raise UnmappableFile("a sparse file's data do not stand at whole blocks in the layer")
    chunks = -(-size >> bits)
    if chunks > _MAXIMUM_CHUNKS:
        raise ImageTooLarge(f"a sparse file of {size} bytes has too many holes")
    starts = [HOLE] * chunks
    for start, length in filled:
        first, step = block(offset), 1 << (bits - BLOCK_BITS)
        for index in range(-(-length >> bits)):
            starts[(start >> bits) + index] = first + index * step
        offset += length
    return bits, b"".join(CHUNK.pack(0, 0 if start == HOLE else device, start) for start in starts)


def block(offset: int) -> int:
    """The block that begins at `offset` bytes. Raises UnmappableFile, ImageTooLarge."""
    if offset & BLOCK - 1:
        raise UnmappableFile("a file's data do not begin at a whole block of the layer")
    if offset >> BLOCK_BITS >= HOLE:
        raise ImageTooLarge("a layer is larger than an EROFS device can be")
    return offset >> BLOCK_BITS


def _common_bits(size: int, segments: Sequence[tuple[int, int]]) -> int:
    # Every edge of a segment must be the edge of a chunk, but for the last one, which may end the file.
    edges = 1 << chunk_bits(size)
    for start, length in segments:
        edges |= start
        if start + length != size:
            edges |= start + length
    return (edges & -edges).bit_length() - 1
