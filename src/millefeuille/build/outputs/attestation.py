"""Attestations: what is said of an image, laid out beside it in an index as BuildKit does.

Source: BuildKit, docs/attestations/attestation-storage.md; in-toto, spec/v1/statement.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.errors import Unsupported
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.gotext import encoded
from millefeuille.oci.manifest import ATTESTATION
from millefeuille.oci.platform import Platform
from millefeuille.values import dataclass, replace

STATEMENT: Final = "https://in-toto.io/Statement/v1"
ARTIFACT: Final = "application/vnd.docker.attestation.manifest.v1+json"
_MAXIMUM_BYTES: Final = 40 << 20
_UNKNOWN: Final = Platform(os="unknown", architecture="unknown")
_EMPTY: Final = b"{}"


class AttestationTooLarge(Unsupported):
    """A statement is larger than those who read it accept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A claim of the kind `predicate_type` about an image that has these `subjects` as its names."""

    predicate_type: str
    predicate: Mapping[str, Any]
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """A manifest of statements: its entry in the index, and its documents and blobs."""

    descriptor: Descriptor
    documents: Mapping[Digest, bytes]


def attestation(
    image: Descriptor, statements: Sequence[Statement], *, oci_artifact: bool = True
) -> Attestation:
    """The manifest that attests `statements` of the manifest `image`. Raises AttestationTooLarge."""
    layers, documents = [], {}
    for statement in statements:
        raw = statement_bytes(statement, [(name, image.digest) for name in statement.subjects or ("_",)])
        digest = Digest.of(raw)
        documents[digest] = raw
        told = {"in-toto.io/predicate-type": statement.predicate_type}
        layers.append(
            Descriptor(media_type=mediatype.IN_TOTO, digest=digest, size=len(raw), annotations=told)
        )
    config = _EMPTY if oci_artifact else _image_config(layers)
    kind = mediatype.OCI_EMPTY if oci_artifact else mediatype.OCI_CONFIG
    manifest = _manifest(
        image, Descriptor(media_type=kind, digest=Digest.of(config), size=len(config)), layers
    )
    documents |= {Digest.of(config): config, Digest.of(manifest): manifest}
    entry = Descriptor(
        media_type=mediatype.OCI_MANIFEST, digest=Digest.of(manifest), size=len(manifest), platform=_UNKNOWN,
        annotations={
            "vnd.docker.reference.digest": str(image.digest), "vnd.docker.reference.type": ATTESTATION,
        },
    )  # fmt: skip
    return Attestation(descriptor=entry, documents=documents)


def statement_bytes(statement: Statement, subjects: Iterable[tuple[str, Digest]]) -> bytes:
    """The in-toto statement, about these subjects, each a name and a digest. Raises AttestationTooLarge."""
    fields = {
        "_type": STATEMENT,
        "predicateType": statement.predicate_type,
        "subject": [{"name": name, "digest": {digest.algorithm: digest.hex}} for name, digest in subjects],
        "predicate": statement.predicate,
    }
    raw = encoded(json.dumps(fields, separators=(",", ":"), ensure_ascii=False))
    if len(raw) > _MAXIMUM_BYTES:
        raise AttestationTooLarge(
            f"attestation {statement.predicate_type}: {len(raw)} bytes, more than {_MAXIMUM_BYTES}"
        )
    return raw


def _manifest(image: Descriptor, config: Descriptor, layers: Sequence[Descriptor]) -> bytes:
    fields: dict[str, Any] = {"schemaVersion": 2, "mediaType": mediatype.OCI_MANIFEST}
    if config.media_type == mediatype.OCI_EMPTY:
        fields["artifactType"] = ARTIFACT
    fields |= {"config": config.to_json(), "layers": [layer.to_json() for layer in layers]}
    if config.media_type == mediatype.OCI_EMPTY:
        fields["subject"] = replace(image, platform=None, annotations={}).to_json()
    return json.dumps(fields, separators=(",", ":")).encode()


def _image_config(layers: Sequence[Descriptor]) -> bytes:
    """The config of the older form, in which an attestation looks like an image of no platform."""
    fields = {
        "architecture": _UNKNOWN.architecture, "os": _UNKNOWN.os, "config": {},
        "rootfs": {"type": "layers", "diff_ids": [str(layer.digest) for layer in layers]},
    }  # fmt: skip
    return json.dumps(fields, separators=(",", ":")).encode()
