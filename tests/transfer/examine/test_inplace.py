"""Layers indexed by several processes: the same as by one, and an error in one is the error of all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from blake3 import blake3
from tests.analysis.conftest import write_archive

from millefeuille.errors import Corrupt
from millefeuille.layers.index import LayerIndex
from millefeuille.layers.refusal import TarError
from millefeuille.testing import rawtars
from millefeuille.transfer.examine import inplace
from millefeuille.transfer.examine.archive import examine_archive
from millefeuille.transfer.examine.layers import Examined

LAYERS = [rawtars.archive(rawtars.file(b"f%d" % n, b"%d" % n * 3000)) for n in range(5)]


def examined(archive: Path, directory: Path) -> Examined:
    descriptor = os.open(archive, os.O_RDONLY)
    try:
        return examine_archive(descriptor, archive.name, scratch=str(directory))
    finally:
        os.close(descriptor)


def paths(found: Examined) -> list[list[bytes]]:
    assert all(isinstance(index, LayerIndex) for index, _, _ in found.layers)
    return [index.paths() for index, _, _ in found.layers]


@pytest.mark.parametrize("processors", [1, 2, 4, 9])
@pytest.mark.parametrize("worth", [0, 1 << 40])
def test_one_process_or_several(
    worth: int, processors: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inplace, "_WORTH", worth)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(processors)))
    monkeypatch.setattr("threading.active_count", lambda: 1)
    archive = tmp_path / "image.tar"
    write_archive(archive, LAYERS)
    assert paths(examined(archive, tmp_path)) == [[b"f%d" % n] for n in range(5)]


@pytest.mark.parametrize("broken", range(5))
def test_a_broken_layer_is_told_of(broken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inplace, "_WORTH", 0)
    monkeypatch.setattr("threading.active_count", lambda: 1)
    archive = tmp_path / "image.tar"
    write_archive(archive, LAYERS)
    archive.write_bytes(archive.read_bytes().replace(b"%d" % broken * 3000, b"x" * 3000))
    with pytest.raises(Corrupt, match="does not match its digest"):
        examined(archive, tmp_path)
    layers = list(LAYERS)
    layers[broken] = rawtars.archive(rawtars.file(b"../escape", b"x" * 3000))
    write_archive(archive, layers)
    with pytest.raises(TarError, match="climbs above the root"):
        examined(archive, tmp_path)


LARGE = rawtars.archive(*(rawtars.file(b"d%d/f%d" % (n // 50, n), b"%d" % n * (n % 70)) for n in range(3000)))


def eager(monkeypatch: pytest.MonkeyPatch, processors: int) -> None:
    """Let so many processes share the work, however little there is."""
    monkeypatch.setattr(inplace, "_WORTH", 0)
    monkeypatch.setattr(inplace, "_UNEVEN", 0)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(processors)))
    monkeypatch.setattr("threading.active_count", lambda: 1)


@pytest.mark.parametrize("processors", [1, 2, 3])
@pytest.mark.parametrize("glance", [False, True])
def test_a_large_layer_is_read_by_two(
    processors: int, glance: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    eager(monkeypatch, processors)
    archive = tmp_path / "image.tar"
    write_archive(archive, [LARGE, *LAYERS])
    descriptor = os.open(archive, os.O_RDONLY)
    found = examine_archive(descriptor, "it", scratch=str(tmp_path), glance=glance).layers
    os.close(descriptor)
    index = found[0][0]
    assert index.paths() == [b"d%d/f%d" % (n // 50, n) for n in range(3000)]
    assert [index.content(n) for n in range(3000)] == [
        blake3(b"%d" % n * (n % 70)).digest() for n in range(3000)
    ]
    assert [one.paths() for one, _, _ in found[1:]] == [[b"f%d" % n] for n in range(5)]


@pytest.mark.parametrize("place", ["begin", "end"])
@pytest.mark.parametrize("layers", [[], LAYERS])
def test_a_large_layer_that_is_broken(
    place: str, layers: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    eager(monkeypatch, 2)
    archive = tmp_path / "image.tar"
    write_archive(archive, [LARGE, *layers])
    text = b"269" * (269 % 70) if place == "begin" else b"2999" * (2999 % 70)
    archive.write_bytes(archive.read_bytes().replace(text, b"x" * len(text)))
    with pytest.raises(Corrupt, match="does not match its digest"):
        examined(archive, tmp_path)
    number = 10 if place == "begin" else 2990
    entries = [rawtars.file(b"../e" if n == number else b"f%d" % n, b"x" * 900) for n in range(3000)]
    write_archive(archive, [rawtars.archive(*entries), *layers])
    with pytest.raises(TarError, match="climbs above the root"):
        examined(archive, tmp_path)


@pytest.mark.parametrize("processors", [1, 2])
@pytest.mark.parametrize("layers", [[], LAYERS])
@pytest.mark.parametrize("name", [b"d3/f170", b"d59/f2980"])
def test_a_damaged_header_is_damage(
    name: bytes, layers: list[bytes], processors: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    eager(monkeypatch, processors)
    archive = tmp_path / "image.tar"
    write_archive(archive, [LARGE, *layers])
    archive.write_bytes(archive.read_bytes().replace(name, b"X" + name[1:]))
    with pytest.raises(Corrupt, match="does not match its digest"):
        examined(archive, tmp_path)
