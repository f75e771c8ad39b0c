"""Made: the manifest of an image that came without one, or whose layers have been compressed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from millefeuille.annotations import Any
from millefeuille.oci import mediatype
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.manifest import Manifest
from millefeuille.plainjson import dumps
from millefeuille.transfer.plan import Plan


def is_made(manifest: Manifest, config: ImageConfig) -> bool:
    """True when `make_plan` would write these very bytes: nobody else's digest depends on them."""
    return make_plan(config, manifest.layers, manifest.annotations).manifest.raw == manifest.raw


def make_plan(
    config: ImageConfig, layers: Sequence[Descriptor], annotations: Mapping[str, str] | None = None
) -> Plan:
    """A plan with a manifest of its own, always the same for the same image and annotations.

    Its bytes are those that Docker 28 writes for such an image.
    """
    described = Descriptor(media_type=mediatype.OCI_CONFIG, digest=config.id, size=len(config.raw))
    document: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": mediatype.OCI_MANIFEST,
        "config": described.to_json(),
        "layers": [layer.to_json() for layer in layers],
        **({"annotations": dict(annotations)} if annotations else {}),
    }
    raw = dumps(document, separators=(",", ":")).encode()
    manifest = Manifest(
        raw=raw, media_type=mediatype.OCI_MANIFEST, config=described, layers=tuple(layers),
        annotations=dict(annotations or {}),
    )  # fmt: skip
    return Plan(indexes=(), descriptor=manifest.descriptor(), manifest=manifest, config=config)
