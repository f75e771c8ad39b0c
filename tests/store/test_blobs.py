from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from millefeuille import files
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.store.blobs import BlobNotFound, CorruptBlob
from millefeuille.store.store import Store

DATA = b"some bytes"


def _descriptor(digest: Digest, size: int = len(DATA)) -> Descriptor:
    return Descriptor(media_type="text/plain", digest=digest, size=size)


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_what_is_put_can_be_had(algorithm: str, store: Store) -> None:
    store.create()
    digest = Digest.of(DATA, algorithm)
    assert digest not in store.blobs
    store.blobs.put(digest, DATA)
    store.blobs.put(digest, DATA)
    store.blobs.settle()
    assert digest in store.blobs
    assert list(store.blobs) == [digest]
    assert store.blobs.read(digest) == DATA
    assert store.blobs.size(digest) == len(DATA)
    assert store.blobs.verify(digest)
    assert os.stat(store.disk.blob(digest)).st_mode & 0o777 == 0o400
    with store.blobs.open(_descriptor(digest), offset=5) as file:
        assert file.read() == DATA[5:]
    assert store.blobs.holds(_descriptor(digest))
    assert not store.blobs.holds(_descriptor(digest, 3))


def test_two_threads_put_the_same(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.create()
    digest, write = Digest.of(DATA), files.write

    def overtaken(descriptor: int, data: bytes) -> int:
        monkeypatch.setattr(files, "write", write)
        other = threading.Thread(target=store.blobs.put, args=(digest, data))
        other.start()
        other.join()
        return write(descriptor, data)

    monkeypatch.setattr(files, "write", overtaken)
    store.blobs.put(digest, DATA)
    assert store.blobs.read(digest) == DATA
    assert os.listdir(store.disk.blobs("sha256")) == [digest.hex]


def test_other_bytes_are_refused(store: Store) -> None:
    store.create()
    with pytest.raises(CorruptBlob):
        store.blobs.put(Digest.of(b"other"), DATA)
    assert list(store.blobs) == []


@pytest.mark.parametrize("rotten", [b"", b"some bytes?", b"some bytez"])
def test_a_damaged_one_is_seen_and_replaced(rotten: bytes, store: Store) -> None:
    store.create()
    digest = Digest.of(DATA)
    Path(store.disk.blob(digest)).write_bytes(rotten)
    assert not store.blobs.verify(digest)
    with pytest.raises(CorruptBlob) as caught:
        store.blobs.read(digest)
    assert str(digest) in str(caught.value) and "check" in str(caught.value.advice)
    if len(rotten) != len(DATA):
        with pytest.raises(CorruptBlob, match="wrong size"):
            store.blobs.open(_descriptor(digest))
    store.blobs.put(digest, DATA)
    assert store.blobs.read(digest) == DATA


def test_missing(store: Store) -> None:
    store.create()
    digest = Digest.of(DATA)
    for ask in (store.blobs.read, store.blobs.size, store.blobs.verify):
        with pytest.raises(BlobNotFound, match=f"^blob {digest}: not in the store$"):
            ask(digest)
    with pytest.raises(BlobNotFound):
        store.blobs.open(_descriptor(digest))
    assert not store.blobs.holds(_descriptor(digest))


def test_a_blob_larger_than_a_document_is_not_read_whole(store: Store) -> None:
    store.create()
    digest = Digest.of(DATA)
    store.blobs.put(digest, DATA)
    with pytest.raises(CorruptBlob):
        store.blobs.read(digest, maximum=3)
