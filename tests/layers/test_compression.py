"""Inflating layers: many members and frames, broken ones, bombs."""

from __future__ import annotations

import gzip
import random
import struct
import sys
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millefeuille.layers import compression
from millefeuille.layers.compression import OUTPUT_CHUNK, Bomb, BrokenStream, inflater, sniff

if sys.version_info >= (3, 14):  # pragma: no cover - the branch of newer interpreters
    from compression import zstd
else:
    from backports import zstd

WORDS = b" ".join(b"%x" % random.Random(7).getrandbits(60) for _ in range(20_000))


def with_gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def with_zstd(data: bytes) -> bytes:
    return zstd.compress(data)


COMPRESSORS: list[Callable[[bytes], bytes]] = [with_gzip, with_zstd]


def skippable(content: bytes, number: int = 0) -> bytes:
    return struct.pack("<II", 0x184D2A50 + number, len(content)) + content


def inflate(blob: bytes, piece: int = 256 << 10, maximum: int = 1 << 40) -> bytes:
    """What a stream inflates to, fed in pieces; the pieces that come out stay within their bound."""
    found = inflater(sniff(blob[:4]), maximum)
    out = []
    for at in range(0, len(blob), piece):
        for data in found.feed(blob[at : at + piece]):
            assert 0 < len(data) <= OUTPUT_CHUNK
            out.append(bytes(data))
    found.finish()
    assert found.consumed == len(blob)
    assert found.produced == sum(map(len, out))
    return b"".join(out)


@pytest.mark.parametrize("compress", COMPRESSORS)
@settings(max_examples=40, deadline=None)
@given(parts=st.lists(st.binary(max_size=2000), min_size=1, max_size=6), piece=st.integers(1, 3000))
def test_members_and_frames_are_one_stream(
    compress: Callable[[bytes], bytes], parts: list[bytes], piece: int
) -> None:
    assert inflate(b"".join(map(compress, parts)), piece) == b"".join(parts)


@pytest.mark.parametrize("compress", COMPRESSORS)
@pytest.mark.parametrize("size", [OUTPUT_CHUNK - 1, OUTPUT_CHUNK, OUTPUT_CHUNK + 1, 3 * OUTPUT_CHUNK])
def test_output_that_just_fills_a_piece(compress: Callable[[bytes], bytes], size: int) -> None:
    data = (WORDS * (1 + size // len(WORDS)))[:size]
    assert inflate(compress(data) + compress(b"tail")) == data + b"tail"
    assert inflate(compress(bytes(size))) == bytes(size)


def test_a_plain_stream_is_passed_on() -> None:
    assert inflate(b"plain bytes", 3) == b"plain bytes"
    assert inflate(b"") == b""


@pytest.mark.parametrize("number", [0, 5, 15])
@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_skippable_frames_hold_nothing(number: int, piece: int) -> None:
    blob = skippable(b"first", number) + with_zstd(b"a") + skippable(b"", number) + with_zstd(b"b")
    assert inflate(blob + skippable(b"table of contents", number), piece) == b"ab"


def test_zeros_behind_the_last_member_are_padding() -> None:
    assert inflate(with_gzip(b"a") + bytes(1000)) == b"a"
    assert inflate(with_gzip(b"a") + bytes(1000) + with_gzip(b"b"), 100) == b"ab"


@pytest.mark.parametrize("compress", COMPRESSORS)
def test_other_bytes_behind_the_end_are_refused(compress: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BrokenStream):
        inflate(compress(b"a") + b"garbage, long enough for any header")


@pytest.mark.parametrize("compress", COMPRESSORS)
def test_every_cut_is_found(compress: Callable[[bytes], bytes]) -> None:
    blob = compress(b"some content") + compress(b"more of it")
    first = len(compress(b"some content"))
    for size in range(4, len(blob)):
        if size == first:
            continue
        with pytest.raises(BrokenStream):
            inflate(blob[:size])


def test_a_wrong_checksum_is_found() -> None:
    blob = bytearray(with_gzip(WORDS))
    blob[-8] ^= 1
    with pytest.raises(BrokenStream):
        inflate(bytes(blob))
    framed = bytearray(zstd.compress(WORDS, options={zstd.CompressionParameter.checksum_flag: 1}))
    framed[-1] ^= 1
    with pytest.raises(BrokenStream):
        inflate(bytes(framed))


@pytest.mark.parametrize("compress", COMPRESSORS)
def test_output_has_a_bound(compress: Callable[[bytes], bytes]) -> None:
    with pytest.raises(Bomb, match="5000000"):
        inflate(compress(bytes(6_000_000)), maximum=5_000_000)


def test_a_ratio_beyond_reason_is_a_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "RATIO_FREE", 1 << 20)
    blob = zstd.compress(bytes(8 << 20))
    assert len(blob) * compression.RATIO_MAXIMUM < 8 << 20
    with pytest.raises(Bomb, match="times its size"):
        inflate(blob)
    assert len(inflate(with_gzip(bytes(8 << 20)))) == 8 << 20  # deflate cannot pass the ratio


def test_a_window_of_one_gibibyte_is_refused() -> None:
    options = {zstd.CompressionParameter.window_log: 30, zstd.CompressionParameter.content_size_flag: 0}
    compressor = zstd.ZstdCompressor(options={int(key): value for key, value in options.items()})
    with pytest.raises(BrokenStream):
        inflate(compressor.compress(WORDS) + compressor.flush())


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
        (b"\x5f\x2a\x4d\x18", "zstd"),
        (b"\x60\x2a\x4d\x18", "none"),
        (b"etc/", "none"),
        (b"", "none"),
    ],
)
def test_kinds_are_known_by_their_first_bytes(head: bytes, kind: str) -> None:
    assert sniff(head) == kind


def test_raw_deflate_headers_of_other_tools() -> None:
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    named = bytearray(compressor.compress(b"content") + compressor.flush())
    named[3] = 0x08  # a file name follows the header, as gzip(1) writes it
    assert inflate(bytes(named[:10]) + b"layer.tar\0" + bytes(named[10:])) == b"content"
