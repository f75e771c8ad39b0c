"""The single pass: digests, tar on disk and index against the plain way of computing each."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from blake3 import blake3

from millefeuille.layers.compression import Bomb, BrokenStream
from millefeuille.layers.index import LayerIndex
from millefeuille.layers.ingest import LayerContent, LayerPass
from millefeuille.layers.tar import TarError
from millefeuille.testing import rawtars

if sys.version_info >= (3, 14):  # pragma: no cover - the branch of newer interpreters
    from compression import zstd
else:
    from backports import zstd

BIG = os.urandom(1 << 20) * 3
TAR = rawtars.archive(
    rawtars.directory(b"etc"), rawtars.file(b"etc/a", b"1" * 700), rawtars.file(b"big", BIG)
) + bytes(8192)
BLOBS = {
    "none": TAR,
    "gzip": gzip.compress(TAR[:900_000], 1) + gzip.compress(TAR[900_000:], 1),
    "zstd": zstd.compress(TAR[:900_000]) + zstd.compress(TAR[900_000:]),
}


def run(
    blob: bytes, tar: int | None = None, chunk: int = 256 << 10, algorithm: str = "sha256"
) -> LayerContent:
    layer = LayerPass(tar, algorithm=algorithm)
    try:
        for at in range(0, len(blob), chunk):
            layer.feed(blob[at : at + chunk])
        return layer.finish()
    except BaseException:
        layer.abort()
        raise


@pytest.mark.parametrize("kind", sorted(BLOBS))
@pytest.mark.parametrize("chunk", [1000, 256 << 10])
def test_everything_about_a_layer_in_one_pass(tmp_path: Path, kind: str, chunk: int) -> None:
    path = tmp_path / "layer.tar"
    with path.open("wb") as file:
        found = run(BLOBS[kind], file.fileno(), chunk)
    assert path.read_bytes() == TAR
    assert found.digest.hex == hashlib.sha256(BLOBS[kind]).hexdigest()
    assert found.diff_id.hex == hashlib.sha256(TAR).hexdigest()
    assert (found.size, found.tar_size, found.compression) == (len(BLOBS[kind]), len(TAR), kind)
    assert (found.entries, found.content_size) == (3, 700 + len(BIG))
    index = LayerIndex(found.index)
    index.verify()
    assert index.paths() == [b"etc", b"etc/a", b"big"]
    assert index.content(2) == blake3(BIG).digest()
    assert index.tar_size - index.end == 8192
    assert index.compressed_size == len(BLOBS[kind])


def test_a_sha512_blob_still_has_a_sha256_diff_id() -> None:
    for kind in ("none", "gzip"):
        found = run(BLOBS[kind], algorithm="sha512")
        assert str(found.digest) == "sha512:" + hashlib.sha512(BLOBS[kind]).hexdigest()
        assert str(found.diff_id) == "sha256:" + hashlib.sha256(TAR).hexdigest()


@pytest.mark.parametrize("kind", sorted(BLOBS))
def test_first_chunks_may_be_too_short_to_tell_the_compression(kind: str) -> None:
    layer = LayerPass(None)
    for chunk in (b"", BLOBS[kind][:1], BLOBS[kind][1:3], BLOBS[kind][3:]):
        layer.feed(chunk)
    found = layer.finish()
    assert (found.compression, found.diff_id.hex) == (kind, hashlib.sha256(TAR).hexdigest())


def test_no_bytes_at_all_are_an_empty_layer() -> None:
    found = run(b"")
    assert (found.size, found.tar_size, found.entries) == (0, 0, 0)
    assert found.diff_id.hex == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    ("blob", "error"),
    [
        (BLOBS["gzip"][:-1], BrokenStream),
        (BLOBS["gzip"][: len(BLOBS["gzip"]) // 2], BrokenStream),
        (BLOBS["zstd"][:-1], BrokenStream),
        (gzip.compress(TAR)[:-4] + bytes(4), BrokenStream),
        (TAR[:5000], TarError),
        (b"abc", TarError),
        (gzip.compress(TAR[:5000]), TarError),
        (b"this is no tar" * 100, TarError),
        (gzip.compress(rawtars.archive(rawtars.file(b"../x")) + BIG), TarError),
    ],
)
def test_a_bad_layer_is_an_error_and_leaves_no_thread(blob: bytes, error: type[Exception]) -> None:
    before = threading.active_count()
    with pytest.raises(error):
        run(blob)
    assert threading.active_count() == before


def test_a_full_disk_is_the_callers_error() -> None:
    before = threading.active_count()
    with open("/dev/full", "wb") as full, pytest.raises(OSError, match="No space left"):
        run(BLOBS["gzip"], full.fileno())
    assert threading.active_count() == before


_BOMB = """
import resource, sys, zlib
from millefeuille.layers.ingest import LayerPass
from millefeuille.testing import rawtars
size = 512 << 20
compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
chunks = [compressor.compress(rawtars.header(b"zeros", size=size))]
chunks += [compressor.compress(bytes(1 << 20)) for _ in range(512)]
blob = b"".join([*chunks, compressor.compress(rawtars.END), compressor.flush()])
del chunks
layer = LayerPass(None)
layer.feed(b"")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for at in range(0, len(blob), 256 << 10):
    layer.feed(blob[at:at + (256 << 10)])
found = layer.finish()
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(found.content_size == size, len(blob) < 1 << 20, grown)
"""


def test_a_bomb_of_512_mib_needs_little_memory() -> None:
    result = subprocess.run([sys.executable, "-c", _BOMB], capture_output=True, text=True, check=True)
    right, small, grown = result.stdout.split()
    assert (right, small) == ("True", "True")
    assert int(grown) < 48 << 10  # KiB; two short queues of pieces of at most 1 MiB


def test_a_zstd_bomb_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millefeuille.layers.compression.RATIO_FREE", 1 << 20)
    with pytest.raises(Bomb):
        run(zstd.compress(rawtars.header(b"z", size=64 << 20) + bytes(64 << 20)))
