from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.store.blobs import BlobNotFound, CorruptBlob
from millefeuille.store.store import Store
from millefeuille.transfer.archive.tarwriter import TarWriter, tar_size

LONG = f"blobs/sha512/{'a' * 128}"


def test_any_tar_reads_every_name_and_size() -> None:
    written = bytearray()
    writer = TarWriter(written.extend)
    writer.add_directory("blobs/")
    members = {"empty": b"", "one": b"x", "block": bytes(512), LONG: os.urandom(1000)}
    for name, data in members.items():
        writer.add_bytes(name, data)
    writer.finish()
    with tarfile.open(fileobj=io.BytesIO(bytes(written))) as archive:
        found = {member.name: file.read() for member in archive if (file := archive.extractfile(member))}
    assert found == members
    listed = subprocess.run(["tar", "tf", "-"], input=bytes(written), capture_output=True, check=True)
    assert listed.stdout.decode().split() == ["blobs/", *members]
    assert listed.stderr == b""


@pytest.mark.parametrize("sizes", [[], [0], [1], [512, 513], [100_000]])
def test_the_size_is_known_before_the_first_byte(sizes: list[int]) -> None:
    written = bytearray()
    writer = TarWriter(written.extend)
    for number, size in enumerate(sizes):
        writer.add_bytes(str(number), bytes(size))
    writer.finish()
    assert len(written) == tar_size(sizes)


@pytest.fixture
def blob(store: Store) -> Descriptor:
    """A blob of several buffers, which differ."""
    store.create()
    data = b"".join(hashlib.sha256(b"%d" % n).digest() * 1000 for n in range(120))
    digest = Digest.of(data)
    Path(store.disk.blob(digest)).write_bytes(data)
    return Descriptor(media_type="application/octet-stream", digest=digest, size=len(data))


def test_a_blob_is_written_as_it_is(store: Store, blob: Descriptor) -> None:
    written = bytearray()
    TarWriter(written.extend).add_blob("blob", blob, store.blobs)
    assert Digest.of(bytes(written[512 : 512 + blob.size])) == blob.digest
    assert len(written) % 512 == 0


@pytest.mark.parametrize("at", [0, 1 << 20, -1])
def test_one_changed_byte_is_found(store: Store, blob: Descriptor, at: int) -> None:
    path = Path(store.disk.blob(blob.digest))
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptBlob, match="does not match its digest"):
        TarWriter(bytearray().extend).add_blob("blob", blob, store.blobs)


def test_a_missing_blob_is_found_before_its_header(store: Store, blob: Descriptor) -> None:
    Path(store.disk.blob(blob.digest)).unlink()
    written = bytearray()
    with pytest.raises(BlobNotFound):
        TarWriter(written.extend).add_blob("blob", blob, store.blobs)
    assert not written


def test_a_writer_that_fails_ends_the_hashing_too(store: Store, blob: Descriptor) -> None:
    def write(data: bytes | memoryview) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        TarWriter(write).add_blob("blob", blob, store.blobs)
