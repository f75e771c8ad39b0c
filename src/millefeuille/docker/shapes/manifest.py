"""`manifest inspect`: a manifest or an index as Docker prints it.

Source: docker/cli v28.2.2, cli/command/manifest/inspect.go and the struct order of distribution's types.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.docker.jsontext import indented

_MEMBERS: Final = (
    "schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "subject", "annotations",
)  # fmt: skip
_DESCRIPTOR: Final = ("mediaType", "size", "digest", "urls", "annotations", "platform")
_PLATFORM: Final = ("architecture", "os", "os.version", "os.features", "variant", "features")


def document_text(fields: Mapping[str, Any]) -> str:
    """A manifest or an index with the members Docker knows in its order, the others behind them."""
    indent: int | str = 3 if "manifests" in fields else "\t"
    return f"{indented(_document(fields), indent)}\n"


def verbose_entry(
    reference: str, descriptor: Mapping[str, Any], raw: bytes, fields: Mapping[str, Any]
) -> dict[str, Any]:
    """One manifest of `manifest inspect -v`: its name, descriptor, exact bytes (base64) and content."""
    is_oci = ".oci." in str(descriptor["mediaType"])
    return {
        "Ref": reference,
        "Descriptor": dict(descriptor),
        "Raw": base64.b64encode(raw).decode(),
        "OCIManifest" if is_oci else "SchemaV2Manifest": _document(fields),
    }


def verbose_text(found: object) -> str:
    """One entry, or a list of them, as Docker indents them."""
    return f"{indented(found, chr(9))}\n"


def ordered_platform(platform: Mapping[str, Any]) -> dict[str, Any]:
    """A platform with its members in Docker's order."""
    return _ordered(platform, _PLATFORM)


def _document(fields: Mapping[str, Any]) -> dict[str, Any]:
    shown = _ordered(fields, _MEMBERS)
    for name in ("config", "subject"):
        if isinstance(shown.get(name), dict):
            shown[name] = _descriptor(shown[name])
    for name in ("layers", "manifests"):
        if isinstance(shown.get(name), list):
            shown[name] = [_descriptor(entry) for entry in shown[name]]
    return shown


def _descriptor(value: object) -> object:
    if not isinstance(value, dict):
        return value
    shown = _ordered(value, _DESCRIPTOR)
    if isinstance(shown.get("platform"), dict):
        shown["platform"] = ordered_platform(shown["platform"])
    return shown


def _ordered(fields: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    known = {name: fields[name] for name in names if name in fields}
    return known | {name: value for name, value in fields.items() if name not in known}
