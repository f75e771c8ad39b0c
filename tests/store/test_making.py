"""A layer made here: one file under two names, the same for the same members, and nothing half-made."""

from __future__ import annotations

import os

import pytest

from millefeuille.errors import Failed
from millefeuille.files import DiskFull
from millefeuille.layers.entry import DIRECTORY, FILE
from millefeuille.layers.index import LayerIndex
from millefeuille.layers.ingest import LayerContent
from millefeuille.layers.refusal import TarError
from millefeuille.layers.tarheader import Metadata
from millefeuille.layers.tarstream import Member
from millefeuille.oci.digest import Digest
from millefeuille.store import layers, leases
from millefeuille.store.derive import derive
from millefeuille.store.images import LayerRecord
from millefeuille.store.making import made_blob, store_layer
from millefeuille.store.store import Store
from millefeuille.testing import file_faults

MEMBERS: list[Member] = [
    (Metadata(path=b"d", kind=DIRECTORY, mode=0o755), None),
    (Metadata(path=b"d/f", kind=FILE, mode=0o644, size=700_000), b"x" * 700_000),
]


def made(store: Store, members: list[Member]) -> LayerRecord:
    store.create()
    claimed: list[Digest] = []
    with leases.lease(store.disk, "test"):
        record, _ = store_layer(store, members, lambda content: claimed.append(content.diff_id))
    assert claimed == [record.diff_id]
    return record


def test_one_file_under_two_names(store: Store) -> None:
    record = made(store, MEMBERS)
    blob, tar = os.stat(store.disk.blob(record.diff_id)), os.stat(store.disk.tar(record.diff_id))
    assert os.path.samestat(blob, tar)
    assert blob.st_mode & 0o777 == 0o400
    assert store.blobs.verify(record.diff_id)
    assert layers.measure(store.disk, record.diff_id) == record
    assert layers.is_made_from(store.disk, record.diff_id, record.diff_id)
    assert LayerIndex.open(store.disk.layer_index(record.diff_id)).paths() == [b"d", b"d/f"]
    assert os.listdir(store.disk.ingest) == []


def test_the_same_members_make_the_same_layer(store: Store) -> None:
    first, second = made(store, MEMBERS), made(store, MEMBERS)
    assert first == second
    assert len(os.listdir(store.disk.layers)) == 1
    blob, tar = os.stat(store.disk.blob(first.diff_id)), os.stat(store.disk.tar(first.diff_id))
    assert os.path.samestat(blob, tar)
    assert os.listdir(store.disk.ingest) == []


def test_it_can_be_made_again_from_its_blob(store: Store) -> None:
    store.create()
    with leases.lease(store.disk, "test"):
        record, content = store_layer(store, MEMBERS, lambda content: None)
    os.unlink(store.disk.layer_index(record.diff_id))
    assert derive(store, made_blob(content), record.diff_id) == record


def test_what_no_layer_may_hold_leaves_nothing(store: Store) -> None:
    link = Metadata(path=b"loop", kind=FILE, mode=0o644)._replace(path=b"../out")
    with pytest.raises(TarError):
        made(store, [(link, None)])
    assert os.listdir(store.disk.ingest) == os.listdir(store.disk.layers) == []


def test_a_refused_claim_leaves_nothing(store: Store) -> None:
    def refuse(content: LayerContent) -> None:
        raise Failed("no")

    store.create()
    with leases.lease(store.disk, "test"), pytest.raises(Failed, match="no"):
        store_layer(store, MEMBERS, refuse)
    assert os.listdir(store.disk.ingest) == os.listdir(store.disk.layers) == []


@pytest.mark.parametrize("occurrence", range(1, 4))
def test_a_full_disk_leaves_nothing(
    store: Store, occurrence: int, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    store.create()
    with leases.lease(store.disk, "test"):
        fault = file_faults.parse(f"write:{occurrence}:ENOSPC")
        monkeypatch.setattr("millefeuille.files.hook", file_faults.hook(fault))
        with pytest.raises(DiskFull, match="no space left"):
            store_layer(store, MEMBERS, lambda content: None)
        monkeypatch.setattr("millefeuille.files.hook", None)
    assert os.listdir(store.disk.ingest) == os.listdir(store.disk.layers) == []
