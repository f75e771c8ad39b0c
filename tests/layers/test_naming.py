"""Errors of a layer's stream name the layer, wherever it is read."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest
from tests.analysis.conftest import write_archive
from tests.store.memory import Layer, Memory
from tests.transfer.examine.test_inplace import examined

from millefeuille.errors import MilleError
from millefeuille.layers.compression import Bomb, BrokenStream
from millefeuille.layers.naming import naming
from millefeuille.layers.refusal import TarError
from millefeuille.oci.digest import Digest
from millefeuille.progress import Silent
from millefeuille.store.store import Store
from millefeuille.testing import rawtars
from millefeuille.transfer.layers import LayerFetch

TAR = rawtars.archive(rawtars.file(b"a", bytes(range(256)) * 99))
ESCAPE = rawtars.archive(rawtars.file(b"../a", b"x"))
SHORT = gzip.compress(TAR)[:-9]


@pytest.mark.parametrize("error", [BrokenStream("it ends early"), Bomb("it is huge"), TarError("a", "odd")])
def test_the_layer_is_named(error: MilleError) -> None:
    text = str(error)
    with pytest.raises(type(error)) as caught, naming(Digest.of(b"a")):
        raise error
    assert str(caught.value) == f"layer {Digest.of(b'a')}: {text}"


@pytest.mark.parametrize("blob", [SHORT, ESCAPE, gzip.compress(ESCAPE)])
def test_where_it_is_looked_at(tmp_path: Path, blob: bytes) -> None:
    archive = tmp_path / "image.tar"
    write_archive(archive, [TAR, blob])
    with pytest.raises(MilleError, match=f"^layer sha256:{hashlib.sha256(blob).hexdigest()}: "):
        examined(archive, tmp_path)


@pytest.mark.parametrize("blob", [SHORT, ESCAPE, gzip.compress(ESCAPE)])
def test_where_it_is_stored(tmp_path: Path, blob: bytes) -> None:
    store = Store(str(tmp_path / "store"))
    store.create()
    kind = "application/vnd.oci.image.layer.v1.tar+gzip"
    memory, one = Memory(), Layer(blob=blob, tar=TAR, media_type=kind)
    memory.add("1", [one])
    with pytest.raises(MilleError, match=f"^layer sha256:{hashlib.sha256(blob).hexdigest()}: "):
        LayerFetch(store, memory, Silent(), {}).run([(one.descriptor(), one.diff_id)])
