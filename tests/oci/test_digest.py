"""Digests."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.oci.digest import Digest, InvalidDigest

# The digests of "abc", from FIPS 180-4's examples.
_ABC = {
    "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "sha384": "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
    "8086072ba1e7cc2358baeca134c825a7",
    "sha512": "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
}


@pytest.mark.parametrize("algorithm", _ABC)
def test_digests_of_known_bytes(algorithm: str) -> None:
    digest = Digest.of(b"abc", algorithm)
    assert str(digest) == f"{algorithm}:{_ABC[algorithm]}"
    assert Digest.parse(str(digest)) == digest
    assert digest.short == _ABC[algorithm][:12]
    hasher = digest.hasher()
    hasher.update(b"abc")
    assert hasher.hexdigest() == digest.hex


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "invalid checksum digest format"),
        ("sha256", "invalid checksum digest format"),
        ("sha256:", "invalid checksum digest format"),
        (":" + "a" * 64, "invalid checksum digest format"),
        ("sha256:" + "a" * 63, "invalid checksum digest length"),
        ("sha256:" + "a" * 65, "invalid checksum digest length"),
        ("sha256:" + "A" * 64, "invalid checksum digest format"),
        ("sha256:" + "g" * 64, "invalid checksum digest format"),
        ("SHA256:" + "a" * 64, "invalid checksum digest format"),
        ("sha256:" + "a" * 64 + "\n", "invalid checksum digest format"),
        ("sha256:../" + "a" * 61, "invalid checksum digest format"),
        ("sha256:" + "a" * 63 + "/", "invalid checksum digest format"),
        ("sha256:" + "١" * 64, "invalid checksum digest format"),
        ("md5:" + "a" * 32, "unsupported digest algorithm"),
        ("blake3:" + "a" * 64, "unsupported digest algorithm"),
        ("sha1:" + "a" * 40, "unsupported digest algorithm"),
    ],
)
def test_malformed_digests(text: str, message: str) -> None:
    with pytest.raises(InvalidDigest) as caught:
        Digest.parse(text)
    assert str(caught.value) == message


def test_a_digest_cannot_be_made_wrong() -> None:
    with pytest.raises(InvalidDigest):
        Digest("sha256", "../../etc/passwd")


@given(st.binary(max_size=200), st.sampled_from(sorted(_ABC)))
def test_a_digest_is_read_back(data: bytes, algorithm: str) -> None:
    digest = Digest.of(data, algorithm)
    assert Digest.parse(str(digest)) == digest
    assert digest.hex == hashlib.new(algorithm, data).hexdigest()


@given(st.text(max_size=80))
def test_any_text_is_a_digest_or_an_error(text: str) -> None:
    try:
        digest = Digest.parse(text)
    except InvalidDigest:
        return
    assert str(digest) == text
