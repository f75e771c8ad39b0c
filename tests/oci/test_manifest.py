"""Manifests and indexes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.errors import Invalid, MilleError
from millefeuille.oci import mediatype
from millefeuille.oci.digest import Digest
from millefeuille.oci.manifest import (
    MAXIMUM_BYTES,
    Index,
    InvalidManifest,
    Manifest,
    NoMatchingPlatform,
    UnsupportedManifest,
    choose,
    parse,
)
from millefeuille.oci.platform import Platform


def _descriptor(media_type: str, data: bytes = b"", **more: object) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(Digest.of(data)), "size": len(data), **more}


_IMAGE: dict[str, Any] = {
    "schemaVersion": 2,
    "mediaType": mediatype.OCI_MANIFEST,
    "config": _descriptor(mediatype.OCI_CONFIG, b"{}"),
    "layers": [_descriptor(mediatype.OCI_LAYER_GZIP, b"one"), _descriptor(mediatype.OCI_LAYER_ZSTD, b"two")],
    "annotations": {"a": "b", "number": 5},
    "unknown": {"kept": True},
}
_INDEX: dict[str, Any] = {
    "schemaVersion": 2,
    "mediaType": mediatype.OCI_INDEX,
    "manifests": [_descriptor(mediatype.OCI_MANIFEST, b"m")],
}


def _without(value: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: member for key, member in value.items() if key != name}


def _parse(value: object, media_type: str | None = None) -> Manifest | Index:
    return parse(json.dumps(value).encode(), media_type, "x")


def test_an_image() -> None:
    raw = json.dumps(_IMAGE, indent=3).encode()
    manifest = parse(raw)
    assert isinstance(manifest, Manifest)
    assert manifest.is_image
    assert [layer.media_type for layer in manifest.layers] == [
        mediatype.OCI_LAYER_GZIP,
        mediatype.OCI_LAYER_ZSTD,
    ]
    assert manifest.annotations == {"a": "b"}
    assert manifest.raw is raw
    assert manifest.descriptor().digest == Digest.of(raw)
    assert manifest.descriptor("sha512").digest == Digest.of(raw, "sha512")
    assert manifest.descriptor().size == len(raw)


def test_an_artifact_is_no_image() -> None:
    subject = _descriptor(mediatype.OCI_MANIFEST, b"s")
    config = _descriptor(mediatype.OCI_EMPTY, b"{}")
    artifact = _parse(_IMAGE | {"config": config, "artifactType": "application/x", "subject": subject})
    assert isinstance(artifact, Manifest)
    assert not artifact.is_image
    assert artifact.artifact_type == "application/x"
    assert artifact.subject is not None
    assert str(artifact.subject.digest) == subject["digest"]


@pytest.mark.parametrize("media_type", sorted(mediatype.MANIFESTS))
def test_the_outside_word_counts_where_the_body_has_none(media_type: str) -> None:
    assert _parse(_without(_IMAGE, "mediaType"), media_type).media_type == media_type


@pytest.mark.parametrize("outside", [None, "application/json", "text/plain; charset=utf-8", ""])
def test_structure_counts_where_nobody_says(outside: str | None) -> None:
    assert _parse(_without(_IMAGE, "mediaType"), outside).media_type == mediatype.OCI_MANIFEST
    assert _parse(_without(_INDEX, "mediaType"), outside).media_type == mediatype.OCI_INDEX


@pytest.mark.parametrize(
    ("value", "outside", "message"),
    [
        (_IMAGE | {"manifests": []}, None, "x: both an index and an image"),
        (_IMAGE | {"Layers": []}, None, "x: the key Layers must be written layers"),
        (_INDEX | {"MEDIATYPE": "x"}, None, "x: the key MEDIATYPE must be written mediaType"),
        (_INDEX | {"layers": []}, None, "x: both an index and an image"),
        (_INDEX | {"fsLayers": []}, None, "x: both an index and an image"),
        (_IMAGE | {"mediaType": mediatype.OCI_INDEX}, None, "x: its content is not what its media type"),
        (_INDEX | {"mediaType": mediatype.OCI_MANIFEST}, None, "x: its content is not what its media type"),
        (_IMAGE, mediatype.DOCKER_MANIFEST, "x: served as application/vnd.docker"),
        (_IMAGE, mediatype.OCI_INDEX, "x: served as application/vnd.oci"),
        (_IMAGE | {"mediaType": 5}, None, "x: mediaType must be a string"),
        (_IMAGE | {"schemaVersion": 3}, None, "x: schemaVersion must be 2"),
        (_IMAGE | {"schemaVersion": "2"}, None, "x: schemaVersion must be 2"),
        (_without(_IMAGE, "schemaVersion"), None, "x: schemaVersion must be 2"),
        (_without(_IMAGE, "layers"), None, "x: layers must be a list"),
        (_IMAGE | {"layers": {}}, None, "x: layers must be a list"),
        (_IMAGE | {"layers": [None]}, None, "x: a descriptor must be an object"),
        (_IMAGE | {"layers": _IMAGE["layers"] * 257}, None, "x: more than 512 layers"),
        (_without(_IMAGE, "config"), None, "x: a descriptor must be an object"),
        (_INDEX | {"manifests": None}, None, "x: manifests must be a list"),
        (_INDEX | {"manifests": _INDEX["manifests"] * 10_001}, None, "x: more than 10000 manifests"),
    ],
)
def test_refused(value: object, outside: str | None, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        _parse(value, outside)
    assert str(caught.value).startswith(message)


def test_too_large() -> None:
    with pytest.raises(InvalidManifest, match=r"^x: larger than 4194304 bytes$"):
        parse(b"{}" + b" " * MAXIMUM_BYTES, None, "x")


@pytest.mark.parametrize(
    ("value", "outside"),
    [
        ({"schemaVersion": 1, "fsLayers": [], "history": []}, None),
        ({"schemaVersion": 1, "fsLayers": []}, mediatype.DOCKER_SCHEMA1_SIGNED),
        ({"schemaVersion": 1, "mediaType": mediatype.DOCKER_SCHEMA1, "fsLayers": []}, None),
        ({"schemaVersion": 1, "fsLayers": []}, mediatype.DOCKER_SCHEMA1),
    ],
)
def test_schema_1_is_refused_with_advice(value: object, outside: str | None) -> None:
    with pytest.raises(UnsupportedManifest, match="schema 1 manifests are no longer supported") as caught:
        _parse(value, outside)
    assert caught.value.advice


def test_unknown_media_types_are_named() -> None:
    with pytest.raises(UnsupportedManifest, match=r"application/vnd\.example"):
        _parse(_IMAGE | {"mediaType": "application/vnd.example"})


def _index_of(*platforms: str | None, **more: object) -> Index:
    entries = []
    for number, text in enumerate(platforms):
        entry = _descriptor(mediatype.OCI_MANIFEST, str(number).encode(), **more)
        if text is not None:
            system, architecture, *variant = text.split("/")
            entry["platform"] = {"os": system, "architecture": architecture, "variant": "".join(variant)}
        entries.append(entry)
    index = _parse(_INDEX | {"manifests": entries})
    assert isinstance(index, Index)
    return index


@pytest.mark.parametrize(
    ("platforms", "wanted", "chosen"),
    [
        (["linux/arm64", "linux/amd64"], "linux/amd64", 1),
        (["linux/amd64", "linux/amd64"], "linux/amd64", 0),
        (["linux/amd64", "linux/amd64/v3"], "linux/amd64/v4", 1),
        (["linux/arm/v6", "linux/arm/v7"], "linux/arm/v8", 1),
        (["linux/arm/v6", "linux/arm"], "linux/arm/v7", 1),
        (["linux/arm64/v8"], "linux/arm64", 0),
        (["unknown/unknown", "linux/amd64"], "linux/amd64", 1),
        ([None], "linux/s390x", 0),
        (["linux/386", "linux/arm64"], "linux/amd64", 0),
    ],
)
def test_choosing(platforms: list[str | None], wanted: str, chosen: int) -> None:
    entry = choose(_index_of(*platforms), Platform.parse(wanted))
    assert entry.digest == Digest.of(str(chosen).encode())


@pytest.mark.parametrize(
    ("index", "advice"),
    [
        (_index_of("linux/arm64", "linux/arm/v6"), "x offers: linux/arm/v6, linux/arm64"),
        (_index_of(), None),
        (_index_of(None, None), None),
        (_index_of("linux/amd64/v3"), "x offers: linux/amd64/v3"),
        (_index_of("unknown/unknown"), None),
        (_index_of("linux/amd64", annotations={"vnd.docker.reference.type": "attestation-manifest"}), None),
        (_index_of("linux/amd64", artifactType="application/x"), None),
    ],
)
def test_no_platform_fits(index: Index, advice: str | None) -> None:
    with pytest.raises(NoMatchingPlatform) as caught:
        choose(index, Platform.parse("linux/amd64"), "x")
    assert str(caught.value) == "no matching manifest for linux/amd64 in the manifest list entries"
    assert caught.value.advice == advice


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


@given(
    st.sampled_from([_IMAGE, _INDEX]),
    st.dictionaries(
        st.sampled_from(
            "schemaVersion mediaType config layers manifests annotations subject artifactType".split()
        ),
        _ANYTHING,
        min_size=1,
    ),
)
def test_members_of_any_type_are_read_or_refused(base: dict[str, Any], changed: dict[str, Any]) -> None:
    try:
        parsed = _parse(base | changed)
    except MilleError as error:
        assert str(error).startswith("x: ")
        return
    assert isinstance(parsed, (Manifest, Index))
