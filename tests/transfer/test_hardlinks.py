"""Layers with hard links to nothing are not brought in, whatever mounts images here."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.store.memory import Memory, brought, compressed
from tests.transfer.archive.conftest import docker_archive, loaded

from millefeuille.layers import stacked
from millefeuille.layers.refusal import BrokenLink
from millefeuille.oci.platform import Platform
from millefeuille.store.check import check
from millefeuille.store.images import images
from millefeuille.store.store import Store
from millefeuille.testing.images import digest_of, make_image
from millefeuille.testing.rawtars import archive, file, hardlink
from millefeuille.testing.tars import MadeLayer
from millefeuille.transfer.archive.import_ import Making, import_image

LINKED = archive(hardlink(b"new", b"z"))
BELOW = archive(file(b"z", b"data"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def _pull(store: Store, directory: Path, *tars: bytes) -> None:
    memory = Memory()
    memory.add("1", [compressed(tar, "gzip") for tar in tars])
    brought(store, memory, "app:1")


def _load(store: Store, directory: Path, *tars: bytes) -> None:
    layers = []
    for number, tar in enumerate(tars):
        path = directory / f"{number}.tar"
        path.write_bytes(tar)
        digest = digest_of(tar)
        layers.append(
            MadeLayer(path=path, digest=digest, size=len(tar), diff_id=digest, compression="")
        )
    loaded(store, docker_archive(make_image(layers), directory / "image.tar", "app:1"))


def _import(store: Store, directory: Path, *tars: bytes) -> None:
    (tar,) = tars
    (directory / "tar").write_bytes(gzip.compress(tar))
    with open(directory / "tar", "rb") as opened:
        making = Making(name=None, process={}, message="", platform=Platform.host())
        import_image(store, opened.fileno(), making)


@pytest.mark.parametrize("bring", [_pull, _load, _import])
def test_a_link_to_nothing_is_refused(
    bring: Callable[..., None], store: Store, tmp_path: Path
) -> None:
    with pytest.raises(BrokenLink) as caught:
        bring(store, tmp_path, LINKED)
    assert str(caught.value) == "layer 0 has a hard link to nothing ('new' to 'z')"
    with store.reading() as tx:
        assert list(images(tx)) == []


@pytest.mark.parametrize("bring", [_pull, _load])
def test_a_link_to_a_file_of_a_layer_below_is_taken(
    bring: Callable[..., None], store: Store, tmp_path: Path
) -> None:
    bring(store, tmp_path, BELOW, LINKED)
    assert check(store).problems == ()
    with pytest.raises(BrokenLink):
        bring(store, tmp_path, BELOW, archive(file(b".wh.z")), LINKED)


def test_nothing_is_stacked_where_no_link_leads_out_of_its_layer(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(stacked, "Stack")
    _pull(store, tmp_path, BELOW, archive(file(b"a"), hardlink(b"b", b"a")))
    with pytest.raises(AttributeError):
        _pull(store, tmp_path, BELOW, LINKED)
