"""The loop over plain files, held against the parser without it."""

from __future__ import annotations

import random

import pytest
from tests.analysis.stacks import stack

from millefeuille.errors import MilleError
from millefeuille.layers import plain
from millefeuille.layers.index import IndexBuilder, LayerIndex
from millefeuille.layers.tar import Limits, TarParser
from millefeuille.testing import rawtars


def indexed(tar: bytes, piece: int, limits: Limits | None = None) -> bytes | str:
    builder = IndexBuilder()
    parser = TarParser(builder, limits=limits)
    try:
        for at in range(0, len(tar), piece):
            parser.feed(tar[at : at + piece], at)
        parser.finish()
    except MilleError as error:
        return str(error)
    return builder.finish()


def both(
    monkeypatch: pytest.MonkeyPatch, tar: bytes, piece: int, limits: Limits | None = None
) -> tuple[bytes | str, bytes | str]:
    fast = indexed(tar, piece, limits)
    with monkeypatch.context() as patch:
        patch.setattr(plain, "take", lambda view, at, *rest: (at, 0, 0))
        return fast, indexed(tar, piece, limits)


@pytest.mark.parametrize("seed", range(60))
def test_random_layers_have_the_same_index(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for tar in stack(seed + 5000):
        for piece in (1 << 20, 1536, 700):
            fast, slow = both(monkeypatch, tar, piece)
            assert fast == slow


def test_odd_names_and_broken_headers_are_met_the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    names = (
        b"a", b"./a/b", b"/a", b"a//b", b"a/../b", b"a/./c", b".a", b"..", b"a/", b"d/.wh.x", b"d/e",
        b"d/e/f", b"n" * 100, b"d", b"\xff\xfe", b"./", b".", b"x\n", b"d/..",
    )  # fmt: skip
    starts = (b".//", b"././", b"//", b"/./", b".///")
    names += tuple(start + name for start in starts for name in (b"a", b"d/e", b"d"))
    chance = random.Random(7)
    for _ in range(600):
        entries = [rawtars.directory(chance.choice((b"d", b"./d", b".//d")))]
        entries += [
            rawtars.file(name, b"x" * chance.choice((0, 1, 512, 513))) for name in chance.sample(names, 6)
        ]
        tar = bytearray(rawtars.archive(*entries))
        if chance.random() < 0.5:
            tar[chance.randrange(len(tar))] = chance.randrange(256)
        fast, slow = both(monkeypatch, bytes(tar), 1 << 20)
        assert fast == slow


@pytest.mark.parametrize("start", [b".//", b"././", b"//", b"/./", b"./", b"/"])
def test_a_file_in_the_root_has_no_slash_in_front(start: bytes) -> None:
    names = (b"a", b"b", b"d/c")
    tar = rawtars.archive(rawtars.directory(b"d"), *(rawtars.file(start + name, b"x") for name in names))
    index = indexed(tar, 1 << 20)
    assert isinstance(index, bytes)
    assert LayerIndex(index).paths() == [b"d", *names]


@pytest.mark.parametrize("limits", [Limits(entries=5), Limits(metadata=12), Limits(size=3)])
def test_limits_hold(limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in (1, 4):
        tar = rawtars.archive(*(rawtars.file(b"f%d" % n, b"x" * size) for n in range(9)))
        fast, slow = both(monkeypatch, tar, 1 << 20, limits)
        assert fast == slow
    assert isinstance(fast, str)
