"""Listings: the documents that say what is in an archive: index.json, manifest.json, repositories.

Source: OCI image-spec, image-layout.md; Docker's image specification 1.2 and what Docker 28 writes.
"""

from __future__ import annotations

from millefeuille.annotations import Any
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.mediatype import OCI_INDEX
from millefeuille.plainjson import dumps
from millefeuille.transfer.archive.gather import Gathered, Packed
from millefeuille.transfer.archive.landmarks import CONTAINERD_NAME, REF_NAME

LAYOUT = b'{"imageLayoutVersion": "1.0.0"}'


def blob_name(digest: Digest) -> str:
    """Where a blob lies in an archive."""
    return f"blobs/{digest.algorithm}/{digest.hex}"


def index_json(gathered: Gathered) -> bytes:
    """The entry point of an OCI layout."""
    entries = []
    for chosen, descriptor, _ in gathered.entries:
        entry = _plain(descriptor)
        notes = dict(gathered.notes)
        if chosen.name is not None:
            notes |= {CONTAINERD_NAME: str(chosen.name), REF_NAME: chosen.name.tag or ""}
        if notes:
            entry["annotations"] = notes
        entries.append(entry)
    return _json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries})


def manifest_json(gathered: Gathered) -> bytes:
    """The entry point of a Docker archive: each image once, with all the names it was chosen by."""
    images: dict[Digest, dict[str, Any]] = {}
    for chosen, _, packed in gathered.entries:
        for position, image in enumerate(packed):
            entry = images.setdefault(image.manifest.config.digest, _entry(image))
            # Of several platforms under one name only one can have it here.
            if chosen.name is not None and position == 0:
                entry["RepoTags"] = [*(entry["RepoTags"] or ()), chosen.name.familiar]
    return _json([*images.values()]) + b"\n"


def repositories(gathered: Gathered) -> bytes | None:
    """The names in the oldest form; None when there are none."""
    found: dict[str, dict[str, str]] = {}
    for chosen, _, packed in gathered.entries:
        layers = packed[0].manifest.layers if packed else ()
        if chosen.name is not None and chosen.name.tag is not None and layers:
            found.setdefault(chosen.name.familiar_name, {})[chosen.name.tag] = layers[-1].digest.hex
    ordered = {name: dict(sorted(tags.items())) for name, tags in sorted(found.items())}
    return _json(ordered) + b"\n" if ordered else None


def _entry(image: Packed) -> dict[str, Any]:
    layers = image.manifest.layers
    sources = zip(image.config.diff_ids, layers, strict=True)
    entry: dict[str, Any] = {
        "Config": blob_name(image.manifest.config.digest),
        "RepoTags": None,
        "Layers": [blob_name(layer.digest) for layer in layers],
    }
    if layers:
        entry["LayerSources"] = {str(diff_id): _source(layer) for diff_id, layer in sorted(
            sources, key=lambda pair: pair[0]
        )}  # fmt: skip
    return entry


def _source(layer: Descriptor) -> dict[str, Any]:
    return {"mediaType": layer.media_type, "size": layer.size, "digest": str(layer.digest)}


def _plain(descriptor: Descriptor) -> dict[str, Any]:
    return {
        "mediaType": descriptor.media_type, "digest": str(descriptor.digest), "size": descriptor.size
    }  # fmt: skip


def _json(value: object) -> bytes:
    return dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
