"""Where files' bytes lie, against the sums done by hand."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.snapshots.erofs.chunks import UnmappableFile, chunk_bits, chunk_format, dense, sparse
from millefeuille.snapshots.erofs.format import HOLE, ImageTooLarge


@pytest.mark.parametrize(
    ("size", "bits"),
    [(1, 9), (512, 9), (513, 10), (1024, 10), (1025, 11), (1 << 40, 40), ((1 << 40) + 1, 40), (1 << 50, 40)],
)
def test_chunk_bits(size: int, bits: int) -> None:
    assert chunk_bits(size) == bits
    assert chunk_format(bits) == 0x20 | bits - 9


def test_dense_files_larger_than_a_chunk() -> None:
    records = dense((1 << 40) + 1, 1024, 7, 40)
    assert list(struct.iter_unpack("<HHI", records)) == [(0, 7, 2), (0, 7, 2 + (1 << 31))]


def test_a_file_that_passes_the_last_block_of_a_device() -> None:
    with pytest.raises(ImageTooLarge):
        dense(3 << 40, 1024, 7, 40)


RUNS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=12)


@given(RUNS, st.integers(0, 511))
def test_sparse_files_read_as_their_maps_say(steps: list[tuple[int, int]], rest: int) -> None:
    segments, position = [], 0
    for gap, length in steps:
        segments.append(((position + gap) * 512, length * 512))
        position += gap + length
    # The last run may end inside of a block, where the file ends too.
    size = position * 512 + 512 + rest
    segments.append((position * 512, 512 + rest))
    bits, records = sparse(size, 5 * 512, 3, segments)
    chunk = 1 << bits
    source = 5
    expected = {}
    for start, length in segments:
        for block in range(-(-length // 512)):
            expected[start // 512 + block] = source + block
        source += length // 512
    decoded = [(device, start) for _, device, start in struct.iter_unpack("<HHI", records)]
    assert len(decoded) == -(-size // chunk)
    found = {}
    for index, (device, start) in enumerate(decoded):
        assert device == (0 if start == HOLE else 3)
        for block in range(chunk // 512):
            place = index * (chunk // 512) + block
            if start != HOLE and place * 512 < size:
                found[place] = start + block
    assert found == expected


@pytest.mark.parametrize("segments", [[(1, 511)], [(0, 100), (512, 512)], [(0, 512), (1024, 100)]])
def test_runs_that_are_no_whole_blocks(segments: list[tuple[int, int]]) -> None:
    with pytest.raises(UnmappableFile):
        sparse(4096, 512, 1, segments)


@pytest.mark.parametrize(("offset", "error"), [(100, UnmappableFile), (512 * HOLE, ImageTooLarge)])
def test_offsets_that_no_image_can_name(offset: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        dense(10, offset, 1, 9)
