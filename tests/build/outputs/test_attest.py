"""`--attest`, `--provenance` and `--sbom` are read as buildx reads them."""

from __future__ import annotations

from typing import Any

import pytest

from millefeuille.build.outputs.attest import AttestWish, BadAttest, UnsupportedAttest, parse_attests


@pytest.mark.parametrize(
    ("asked", "wish"),
    [
        ({}, AttestWish()),
        ({"provenance": "true"}, AttestWish(provenance="min")),
        ({"provenance": "mode=max,builder-id=https://ci/1"},
         AttestWish(provenance="max", builder="https://ci/1")),
        ({"provenance": "false", "attests": ["type=provenance,mode=max"]}, AttestWish()),
        ({"sbom": "true", "attests": ["type=provenance,reproducible=true"]},
         AttestWish(provenance="min", sbom=True, reproducible=True)),
        ({"attests": ["type=sbom", "type=provenance,disabled=true"]}, AttestWish(sbom=True)),
        ({"attests": ["type=provenance,version=v1,oci-artifact=false"]},
         AttestWish(provenance="min", oci_artifacts=False)),
    ],
)  # fmt: skip
def test_wishes_are_read(asked: dict[str, Any], wish: AttestWish) -> None:
    assert parse_attests(**asked) == wish
    assert wish.anything is bool(wish.provenance or wish.sbom)


@pytest.mark.parametrize(
    ("asked", "kind", "message"),
    [
        ({"attests": ["mode=max"]}, BadAttest, "attestation type not specified"),
        ({"attests": ["type=sbom", "type=sbom"]}, BadAttest, "duplicate attestation field sbom"),
        ({"attests": ["type=vex"]}, BadAttest, 'unknown attestation type "vex"'),
        ({"attests": ["sbom"]}, BadAttest, "invalid value sbom"),
        ({"attests": ["type=sbom,type=sbom"]}, BadAttest, "duplicate attestation attribute type"),
        ({"provenance": "mode=medium"}, BadAttest, 'invalid provenance mode "medium"'),
        ({"provenance": "mood=max"}, BadAttest, 'unknown attribute "mood"'),
        ({"provenance": "type=sbom"}, BadAttest, "the type is given already"),
        ({"provenance": "reproducible=perhaps"}, BadAttest, "neither true nor false"),
        ({"provenance": "version=v0.2"}, UnsupportedAttest, "version v0.2 is not supported"),
        ({"sbom": "generator=docker/scout"}, UnsupportedAttest, "generator is not supported"),
        ({"provenance": "inline-only=true"}, UnsupportedAttest, "inline-only is not supported"),
        ({"attests": ["type=sbom,oci-artifact=false", "type=provenance"]}, BadAttest, "cannot differ"),
        ({"attests": ['"type=sbom']}, BadAttest, "invalid attestation"),
    ],
)
def test_what_cannot_be_done_is_said(asked: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        parse_attests(**asked)
