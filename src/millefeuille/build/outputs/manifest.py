"""Manifests and indexes of what is put out, in OCI's media types or, where asked for, in Docker's."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.oci import manifest as documents
from millefeuille.oci import mediatype
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.gotext import encoded
from millefeuille.oci.manifest import Index, Manifest
from millefeuille.transfer.made import make_plan
from millefeuille.transfer.plan import Plan

_DOCKER: Final[Mapping[str, str]] = {
    oci: docker for docker, oci in mediatype.OCI_SPELLING.items()
} | {mediatype.OCI_LAYER_ZSTD: mediatype.DOCKER_LAYER_ZSTD}  # fmt: skip


def image_plan(
    config: ImageConfig, layers: Sequence[Descriptor], notes: Mapping[str, str], *, oci_types: bool = True
) -> Plan:
    """The manifest of an image, with annotations."""
    if oci_types:
        return make_plan(config, layers, notes)
    described = Descriptor(media_type=mediatype.DOCKER_CONFIG, digest=config.id, size=len(config.raw))
    fields = {
        "schemaVersion": 2,
        "mediaType": mediatype.DOCKER_MANIFEST,
        "config": described.to_json(),
        "layers": [_docker(layer) for layer in layers],
        **({"annotations": dict(notes)} if notes else {}),
    }
    raw = _json(fields)
    manifest = documents.parse(raw, mediatype.DOCKER_MANIFEST)
    assert isinstance(manifest, Manifest)  # written as one two lines above
    return Plan(indexes=(), descriptor=manifest.descriptor(), manifest=manifest, config=config)


def index_of(entries: Sequence[Descriptor], notes: Mapping[str, str], *, oci_types: bool = True) -> Index:
    """An index of these manifests, in this order."""
    kind = mediatype.OCI_INDEX if oci_types else mediatype.DOCKER_LIST
    fields = {
        "schemaVersion": 2,
        "mediaType": kind,
        "manifests": [entry.to_json() for entry in entries],
        **({"annotations": dict(notes)} if notes else {}),
    }
    index = documents.parse(_json(fields), kind)
    assert isinstance(index, Index)  # as above
    return index


def _docker(layer: Descriptor) -> Mapping[str, Any]:
    return layer.to_json() | {"mediaType": _DOCKER.get(layer.media_type, layer.media_type)}


def _json(fields: Mapping[str, Any]) -> bytes:
    return encoded(json.dumps(fields, separators=(",", ":"), ensure_ascii=False))
