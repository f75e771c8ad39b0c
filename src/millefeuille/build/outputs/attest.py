"""What is to be attested of a build, as `--attest`, `--provenance` and `--sbom` say it.

Source: buildx, util/buildflags/attests.go; Docker's reference, "docker buildx build --attest".
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping

from millefeuille.annotations import Final
from millefeuille.errors import Invalid, Unsupported
from millefeuille.values import dataclass

MODES: Final = ("min", "max")
_TAKEN: Final[Mapping[str, frozenset[str]]] = {
    "provenance": frozenset("mode version builder-id reproducible oci-artifact".split()),
    "sbom": frozenset({"oci-artifact"}),
}
_UNDONE: Final[Mapping[str, str]] = {
    "inline-only": "provenance always goes to every output",
    "filename": "provenance is always provenance.json",
    "generator": "packages are found without a generator image",
}
_TRUE: Final = frozenset({"1", "t", "true"})
_FALSE: Final = frozenset({"0", "f", "false"})


class BadAttest(Invalid):
    """The text does not say what to attest."""


class UnsupportedAttest(Unsupported):
    """Something about an attestation that this engine does not do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestWish:
    """What to attest: `provenance` is "min", "max" or "" for none; `sbom` for a bill of materials."""

    provenance: str = ""
    sbom: bool = False
    builder: str = ""
    reproducible: bool = False
    oci_artifacts: bool = True

    @property
    def anything(self) -> bool:
        """Whether anything is."""
        return bool(self.provenance) or self.sbom


def parse_attests(
    attests: Iterable[str] = (), *, provenance: str | None = None, sbom: str | None = None
) -> AttestWish:
    """Read the values of all `--attest`, and those of the short forms where they are given.

    A short form is a boolean or the attributes; it stands over an `--attest` of the type. Raises BadAttest,
    UnsupportedAttest.
    """
    found: dict[str, dict[str, str]] = {}
    for text in attests:
        attributes = _attributes(text)
        kind = attributes.pop("type", "")
        if not kind:
            raise BadAttest("attestation type not specified")
        if kind in found:
            raise BadAttest(f"duplicate attestation field {kind}")
        found[kind] = attributes
    for kind, value in (("provenance", provenance), ("sbom", sbom)):
        if value is not None:
            found[kind] = _short(kind, value)
    for kind, attributes in found.items():
        _check(kind, attributes)
    wanted = {kind: attributes for kind, attributes in found.items() if not _is_off(kind, attributes)}
    return _wish(wanted)


def _attributes(text: str) -> dict[str, str]:
    try:
        fields = next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise BadAttest(f"invalid attestation {text!r}: {error}") from error
    attributes: dict[str, str] = {}
    for field in fields:
        key, equals, value = field.partition("=")
        key = key.strip().lower()
        if not equals:
            raise BadAttest(f"invalid value {field}")
        if key in attributes:
            raise BadAttest(f"duplicate attestation attribute {key}")
        attributes[key] = value
    return attributes


def _short(kind: str, value: str) -> dict[str, str]:
    """`true`, `false`, or attributes without the type."""
    if value.lower() in _TRUE or not value:
        return {}
    if value.lower() in _FALSE:
        return {"disabled": "true"}
    attributes = _attributes(value)
    if "type" in attributes:
        raise BadAttest(f"--{kind}: the type is given already")
    return attributes


def _check(kind: str, attributes: Mapping[str, str]) -> None:
    if kind not in _TAKEN:
        raise BadAttest(f'unknown attestation type "{kind}"', advice="There are provenance and sbom.")
    for key in attributes:
        if key in _UNDONE:
            raise UnsupportedAttest(f"attestation {kind}: {key} is not supported: {_UNDONE[key]}")
        if key not in _TAKEN[kind] and key != "disabled":
            known = ", ".join(sorted(_TAKEN[kind]))
            raise BadAttest(f'attestation {kind}: unknown attribute "{key}"', advice=f"It takes: {known}.")


def _is_off(kind: str, attributes: Mapping[str, str]) -> bool:
    return _flag(kind, attributes, "disabled", False)


def _flag(kind: str, attributes: Mapping[str, str], key: str, default: bool) -> bool:
    value = attributes.get(key)
    if value is None:
        return default
    if value.lower() in _TRUE | _FALSE:
        return value.lower() in _TRUE
    raise BadAttest(f'attestation {kind}: {key}: "{value}" is neither true nor false')


def _wish(wanted: Mapping[str, Mapping[str, str]]) -> AttestWish:
    provenance = wanted.get("provenance")
    artifacts = {_flag(kind, attributes, "oci-artifact", True) for kind, attributes in wanted.items()}
    if len(artifacts) > 1:
        raise BadAttest("oci-artifact cannot differ between attestations of one image")
    told = provenance or {}
    mode = told.get("mode", MODES[0])
    if mode not in MODES:
        raise BadAttest(f'invalid provenance mode "{mode}"', advice="There are min and max.")
    version = told.get("version", "v1")
    if version != "v1":
        raise UnsupportedAttest(f"attestation provenance: version {version} is not supported, only v1")
    return AttestWish(
        provenance=mode if provenance is not None else "", sbom="sbom" in wanted,
        builder=told.get("builder-id", ""), reproducible=_flag("provenance", told, "reproducible", False),
        oci_artifacts=next(iter(artifacts), True),
    )  # fmt: skip
