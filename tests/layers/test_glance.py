"""Contents that were glanced at: equal digests for equal contents of one stack, others for others."""

from __future__ import annotations

import random
from functools import partial

import pytest

from millefeuille.layers.glance import ABOVE, settled
from millefeuille.layers.index import IndexBuilder, LayerIndex
from millefeuille.layers.tar import TarParser
from millefeuille.testing import rawtars


def contents(seed: int) -> list[bytes]:
    """Large and small ones; some the same, some with the same begin, some with the same end."""
    chance = random.Random(seed)
    bases = [chance.randbytes(ABOVE + 5000) for _ in range(2)]
    found = []
    for _ in range(14):
        base = chance.choice(bases)
        size = chance.choice((10, ABOVE - 1, ABOVE, ABOVE + 1, ABOVE + 1, ABOVE + 5000, ABOVE + 5000))
        changed = bytearray(base[:size])
        if chance.random() < 0.5:
            changed[chance.choice((0, size // 2, size - 1))] ^= 1
        found.append(bytes(changed))
    return found


def indexed(tar: bytes, piece: int) -> LayerIndex:
    builder = IndexBuilder()
    parser = TarParser(builder, glance=True)
    for at in range(0, len(tar), piece):
        parser.feed(tar[at : at + piece], at)
    parser.finish()
    return LayerIndex.made(builder)


def pieces(tar: bytes, begin: int, end: int) -> list[bytes]:
    return [tar[begin : begin + 1000], tar[begin + 1000 : end]]


@pytest.mark.parametrize("piece", [1 << 20, 70_000, 512, 777])
@pytest.mark.parametrize("seed", range(4))
def test_digests_tell_contents_apart(seed: int, piece: int) -> None:
    files = contents(seed)
    tars = [
        rawtars.archive(*(rawtars.file(b"f%d" % n, each) for n, each in enumerate(files[at : at + 7])))
        for at in (0, 7)
    ]
    found = settled([(indexed(tar, piece), partial(pieces, tar)) for tar in tars])
    digests = [found[n // 7].content(n % 7) for n in range(14)]
    for a in range(14):
        for b in range(14):
            assert (digests[a] == digests[b]) == (files[a] == files[b]), (a, b)


def test_only_what_looks_the_same_is_read_again() -> None:
    chance = random.Random(1)
    twice, once = chance.randbytes(ABOVE + 9), chance.randbytes(ABOVE + 9)
    tar = rawtars.archive(
        *(rawtars.file(name, each) for name, each in ((b"a", twice), (b"b", once), (b"c", twice)))
    )
    read: list[tuple[int, int]] = []

    def reading(begin: int, end: int) -> list[bytes]:
        read.append((begin, end))
        return [tar[begin:end]]

    settled([(indexed(tar, 1 << 20), reading)])
    assert [end - begin for begin, end in read] == [ABOVE + 9, ABOVE + 9]
    assert all(tar[begin:end] == twice for begin, end in read)


def test_a_sparse_file_is_hashed_in_full() -> None:
    size = ABOVE * 2
    entries = [rawtars.pax_sparse(name, [(512, 4)], size, b"data", "1.0") for name in (b"s", b"t")]
    tar = rawtars.archive(*entries, rawtars.file(b"whole", b"\0" * 512 + b"data" + bytes(size - 516)))
    index = settled([(indexed(tar, 1 << 20), partial(pieces, tar))])[0]
    assert index.content(0) == index.content(1)
