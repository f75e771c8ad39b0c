"""Sparse files in a tar: GNU's old format, and the PAX formats 0.0, 0.1 and 1.0 (GNU tar manual, "Sparse
Formats").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from blake3 import blake3

from millefeuille.annotations import Final, Protocol
from millefeuille.layers.entry import SparseMap
from millefeuille.layers.header import number
from millefeuille.layers.refusal import Limits, TarError
from millefeuille.values import dataclass

_OLD_FIRST: Final = 386  # where the four runs of an old GNU header begin
_OLD_RUN: Final = 24  # bytes of one run: offset and length, twelve each
_ZEROS: Final = bytes(1 << 20)


class MapReader(Protocol):
    """Reads a map that has blocks of its own between the header and the data."""

    def feed(self, block: bytes) -> list[int] | None:
        """Take the next block; the whole map's offsets and lengths in turn once it is complete."""


@dataclass(slots=True, kw_only=True)
class SparseMember:
    """A sparse file while its map is being read. `size` is its real size in bytes.

    `numbers` are offsets and lengths in turn; `map_reader` reads them from blocks, each of which takes
    `block_size` bytes off the size that the header gives for the data.
    """

    size: int
    numbers: list[int]
    map_reader: MapReader | None = None
    block_size: int = 0


def old_member(block: bytes, limits: Limits) -> SparseMember:
    """The sparse file whose old GNU header is `block`. Raises TarError."""
    size = number(block[483:495], "real size")
    numbers = _old_runs(block, _OLD_FIRST, 4)
    reader = OldMap(numbers, limits) if block[482] else None
    return SparseMember(size=size, numbers=numbers, map_reader=reader)


class OldMap:
    """The extension blocks of an old GNU header, 21 runs in each."""

    def __init__(self, numbers: list[int], limits: Limits) -> None:
        self._numbers = numbers
        self._limits = limits

    def feed(self, block: bytes) -> list[int] | None:
        """Take the next block; offsets and lengths in turn after the last. Raises TarError."""
        self._numbers += _old_runs(block, 0, 21)
        if len(self._numbers) > 2 * self._limits.extents:
            raise TarError("sparse", "the map of a sparse file has too many runs")
        return None if block[504] else self._numbers


def _old_runs(block: bytes, first: int, count: int) -> list[int]:
    numbers: list[int] = []
    for at in range(first, first + count * _OLD_RUN, _OLD_RUN):
        if not block[at + 12]:
            break
        numbers += (number(block[at : at + 12], "run"), number(block[at + 12 : at + 24], "run"))
    return numbers


def pax_runs(records: Sequence[tuple[bytes, bytes]]) -> list[int] | None:
    """Offsets and lengths in turn, out of PAX records of format 0.0 or 0.1; None when they hold no map."""
    named = dict(records)
    if b"GNU.sparse.map" in named:
        text = named[b"GNU.sparse.map"]
        return decimals(text.split(b",")) if text else []
    keys = (b"GNU.sparse.offset", b"GNU.sparse.numbytes")
    pairs = [(key, value) for key, value in records if key in keys]
    if not pairs and b"GNU.sparse.numblocks" not in named:
        return None
    if [key for key, _ in pairs] != [*keys] * (len(pairs) // 2):
        raise TarError("sparse", "offsets and lengths of a sparse file do not alternate")
    return decimals([value for _, value in pairs])


def is_version_1(named: Mapping[bytes, bytes]) -> bool:
    """Whether PAX records announce a map in front of the data (format 1.0)."""
    return named.get(b"GNU.sparse.major") == b"1" and named.get(b"GNU.sparse.minor") == b"0"


class FrontMap:
    """The map in front of the data of format 1.0: decimal numbers, one a line, the first their count."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._data = bytearray()
        self._lines = 0

    def feed(self, block: bytes) -> list[int] | None:
        """Take the next block; offsets and lengths in turn once the map is complete. Raises TarError."""
        self._data += block
        self._lines += block.count(b"\n")
        if len(self._data) > self._limits.extension:
            raise TarError("sparse", "the map of a sparse file is too long")
        if not self._lines:
            return None
        (count,) = decimals([bytes(self._data[: self._data.index(b"\n")])])
        if count > self._limits.extents:
            raise TarError("sparse", f"a sparse file has {count} runs of data")
        if self._lines <= 2 * count:
            return None
        return decimals(bytes(self._data).split(b"\n")[1 : 2 * count + 1])


def decimals(texts: Sequence[bytes]) -> list[int]:
    """Decimal numbers of at most 63 bits. Raises TarError."""
    if not all(text.isdigit() and len(text) <= 19 for text in texts):
        raise TarError("sparse", "the map of a sparse file holds something that is no number")
    return [int(text) for text in texts]


def checked(numbers: Sequence[int], real: int, stored: int, limits: Limits) -> SparseMap:
    """Offsets and lengths as a map, held against the file's real size and the bytes stored of it."""
    if len(numbers) % 2 or len(numbers) > 2 * limits.extents:
        raise TarError("sparse", "the map of a sparse file is odd or has too many runs")
    runs = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    end = 0
    for offset, length in runs:
        if offset < end or offset + length > real:
            raise TarError("sparse", "the runs of a sparse file overlap, go back or pass its end")
        end = offset + length
    if sum(numbers[1::2]) != stored:
        raise TarError("sparse", "the runs of a sparse file are not as long as the data stored")
    return runs


class SparseContent:
    """Takes a sparse file's runs as they are stored and hashes the file as it reads, holes as zeros."""

    def __init__(self, runs: SparseMap, size: int) -> None:
        self._runs = iter(runs)
        self._size = size
        self._hasher = blake3()
        self._position = 0
        self._left = 0

    def update(self, data: memoryview) -> None:
        """The next stored bytes."""
        while len(data):
            while not self._left:
                offset, self._left = next(self._runs)
                self._zeros(offset - self._position)
            taken = data[: self._left]
            self._hasher.update(taken)
            self._position += len(taken)
            self._left -= len(taken)
            data = data[len(taken) :]

    def digest(self) -> bytes:
        """blake3 of the whole file."""
        self._zeros(self._size - self._position)
        return self._hasher.digest()

    def _zeros(self, count: int) -> None:
        self._position += count
        while count > 0:
            self._hasher.update(_ZEROS if count >= len(_ZEROS) else _ZEROS[:count])
            count -= len(_ZEROS)
