"""Descriptors."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.errors import Invalid
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform

_DIGEST = str(Digest.of(b""))
_GOOD: dict[str, Any] = {"mediaType": mediatype.OCI_LAYER, "digest": _DIGEST, "size": 0}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "x: a descriptor must be an object"),
        ([], "x: a descriptor must be an object"),
        ({}, "x: a descriptor needs a mediaType"),
        (_GOOD | {"Digest": "x"}, "x: the key Digest must be written digest"),
        (_GOOD | {"platform": {"OS": "linux"}}, "x: the key OS must be written os"),
        (_GOOD | {"mediaType": ""}, "x: a descriptor needs a mediaType"),
        (_GOOD | {"mediaType": 1}, "x: a descriptor needs a mediaType"),
        (_GOOD | {"size": -1}, "x: a descriptor needs a size of 0 or more bytes"),
        (_GOOD | {"size": 2**53}, "x: a descriptor needs a size of 0 or more bytes"),
        (_GOOD | {"size": 1.0}, "x: a descriptor needs a size of 0 or more bytes"),
        (_GOOD | {"size": True}, "x: a descriptor needs a size of 0 or more bytes"),
        (_GOOD | {"size": "1"}, "x: a descriptor needs a size of 0 or more bytes"),
        (_GOOD | {"size": None}, "x: a descriptor needs a size of 0 or more bytes"),
        (_GOOD | {"digest": "md5:" + "a" * 32}, "x: unsupported digest algorithm"),
        (_GOOD | {"digest": None}, "x: invalid checksum digest format"),
        (_GOOD | {"digest": ["sha256"]}, "x: invalid checksum digest format"),
    ],
)
def test_refused(value: object, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        Descriptor.from_json(value, "x")
    assert str(caught.value) == message


def test_equality_is_type_digest_and_size() -> None:
    plain = Descriptor.from_json(_GOOD, "x")
    assert Descriptor.from_json(_GOOD | {"annotations": {"a": "b"}}, "x") == plain
    assert Descriptor.from_json(_GOOD | {"size": 1}, "x") != plain


@pytest.mark.parametrize("value", [5, "x", {"a": 1}, [1, 2], None, True])
def test_optional_members_of_the_wrong_type_are_left_out(value: object) -> None:
    names = ("platform", "annotations", "artifactType", "urls")
    read = Descriptor.from_json(_GOOD | dict.fromkeys(names, value), "x")
    assert (read.platform, read.annotations, read.urls) == (None, {}, ())
    assert read.artifact_type in (None, "x")


def test_members_in_the_order_of_the_specification() -> None:
    value = _GOOD | {
        "annotations": {"a": "b"},
        "platform": {"architecture": "arm", "os": "linux", "variant": "v6"},
        "artifactType": "application/x",
    }
    assert list(Descriptor.from_json(value, "x").to_json().items()) == list(value.items())


_DESCRIPTORS = st.builds(
    Descriptor,
    media_type=st.sampled_from(sorted(mediatype.LAYERS)),
    digest=st.binary(max_size=4).map(Digest.of),
    size=st.integers(0, 2**53 - 1),
    platform=st.none()
    | st.sampled_from(["linux/amd64", "linux/arm/v6", "windows(10.0.1)/amd64"]).map(Platform.parse),
    annotations=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
    artifact_type=st.none() | st.just("application/x"),
)


@given(_DESCRIPTORS)
def test_what_is_written_is_read(descriptor: Descriptor) -> None:
    read = Descriptor.from_json(descriptor.to_json(), "x")
    assert read == descriptor
    assert (read.platform, read.annotations, read.artifact_type) == (
        descriptor.platform,
        descriptor.annotations,
        descriptor.artifact_type,
    )


def test_kinds_of_layers() -> None:
    assert mediatype.is_foreign("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
    assert mediatype.is_foreign("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip")
    assert not any(mediatype.is_foreign(layer) for layer in mediatype.LAYERS)
    assert mediatype.as_oci("application/vnd.docker.image.rootfs.foreign.diff.tar") == mediatype.OCI_LAYER
    for ending in ("", "+gzip", "+zstd"):
        foreign = f"application/vnd.oci.image.layer.nondistributable.v1.tar{ending}"
        assert mediatype.as_oci(foreign) == mediatype.OCI_LAYER + ending
    assert all(mediatype.as_oci(docker) == oci for docker, oci in mediatype.OCI_SPELLING.items())
    assert mediatype.as_oci(mediatype.OCI_LAYER_ZSTD) == mediatype.OCI_LAYER_ZSTD
    assert mediatype.is_encrypted("application/vnd.oci.image.layer.v1.tar+gzip+encrypted")
    assert not any(mediatype.is_encrypted(layer) for layer in mediatype.LAYERS)
