"""A pass takes a second thread only where a processor is to spare, and finds the same either way."""

from __future__ import annotations

import gzip
import os
import threading

import pytest

from millefeuille.layers import ingest
from millefeuille.layers.crowd import Crowd
from millefeuille.layers.ingest import LayerContent, LayerPass
from millefeuille.layers.tar import TarError
from millefeuille.testing import rawtars

_TAR = rawtars.archive(rawtars.directory(b"etc"), rawtars.file(b"etc/a", os.urandom(3 << 20)))
_BLOBS = {"none": _TAR, "gzip": gzip.compress(_TAR, 1)}
_CHUNK = 256 << 10


def test_there_is_room_until_each_processor_has_a_pass() -> None:
    crowd = Crowd(2)
    crowd.join()
    assert crowd.has_room
    crowd.join()
    assert not crowd.has_room
    crowd.leave()
    assert crowd.has_room


def _threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def _run(blob: bytes, crowd: Crowd, others: list[int]) -> tuple[LayerContent, list[bool]]:
    """Read `blob` from one buffer, with `others[n]` more passes at its n-th chunk; whether a second thread
    was there after each of them."""
    before = _threads()
    layer = LayerPass(None)
    buffer = bytearray(_CHUNK)
    helped = []
    for number, at in enumerate(range(0, len(blob), _CHUNK)):
        more = others[min(number, len(others) - 1)]
        for _ in range(more):
            crowd.join()
        piece = blob[at : at + _CHUNK]
        buffer[: len(piece)] = piece
        layer.feed(memoryview(buffer)[: len(piece)])
        helped.append("index" in _threads() - before)
        for _ in range(more):
            crowd.leave()
    return layer.finish(), helped


@pytest.mark.parametrize("kind", sorted(_BLOBS))
def test_both_ways_and_any_change_between_them_find_the_same(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd(2)
    monkeypatch.setattr(ingest, "PASSES", crowd)
    monkeypatch.setattr(ingest, "ALONE", 0)
    alone, helped = _run(_BLOBS[kind], crowd, [0])
    assert all(helped)
    crowded, helped = _run(_BLOBS[kind], crowd, [1])
    assert not any(helped)
    changing, helped = _run(_BLOBS[kind], crowd, [1, 0, 0, 1, 0, 1])
    assert not helped[0] and helped[1]
    assert alone == crowded == changing
    assert crowd.has_room


@pytest.mark.parametrize("processors", [1, 2])
def test_a_pass_that_fails_leaves_the_crowd(processors: int, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(processors)
    monkeypatch.setattr(ingest, "PASSES", crowd)
    for _ in range(3):
        layer = LayerPass(None)
        assert crowd.has_room == (processors == 2)
        with pytest.raises(TarError):
            for _ in range(100):
                layer.feed(b"this is no tar" * 100)
            layer.finish()
        layer.abort()
        layer.abort()
    assert crowd.has_room
