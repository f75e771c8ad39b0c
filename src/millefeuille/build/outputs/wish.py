"""Wishes: where a build's result is to go, as `--output` says it.

Source: buildx, util/buildflags/export.go; Docker's reference, "docker buildx build --output".
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping

from millefeuille.annotations import Final
from millefeuille.build.outputs.annotation import Annotation, parse_attribute
from millefeuille.errors import Invalid, Unsupported
from millefeuille.oci.reference import Reference
from millefeuille.transfer.packing import Packing
from millefeuille.values import dataclass, replace

STDOUT: Final = "-"
_IMAGE: Final = frozenset(
    "name push store compression compression-level force-compression oci-mediatypes rewrite-timestamp"
    " push-by-digest name-canonical".split()
)
_ARCHIVE: Final = (_IMAGE - {"push", "store", "push-by-digest", "name-canonical"}) | {"dest", "tar"}
_ACCEPTED: Final[Mapping[str, frozenset[str]]] = {
    "image": _IMAGE,
    "docker": _ARCHIVE,
    "oci": _ARCHIVE,
    "local": frozenset({"dest", "platform-split", "mode"}),
    "tar": frozenset({"dest", "platform-split"}),
    "cacheonly": frozenset(),
}
# What BuildKit takes and this engine does not do.
_UNDONE: Final = frozenset(
    "unpack dangling-name-prefix registry.insecure attestation-prefix context buildinfo".split()
)


class BadOutputWish(Invalid):
    """The text names no place where a build's result can go."""


class UnsupportedOutput(Unsupported):
    """An output, or something about one, that this engine does not do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputWish:
    """One place for the result. `kind` is image, docker, oci, local, tar or cacheonly.

    `destination` is a path, or STDOUT; None for what has no file. `names` are added to those of `-t`. With
    `by_digest` the registry gets the image without a tag, and the store without a name. `packing` is None
    where nothing was said about compression; `layout` asks for an OCI layout in a directory;
    `platform_split` for a directory by platform, None for one only where there are several.
    """

    kind: str
    destination: str | None = None
    names: tuple[Reference, ...] = ()
    push: bool = False
    by_digest: bool = False
    packing: Packing | None = None
    layout: bool = False
    oci_types: bool = True
    annotations: tuple[Annotation, ...] = ()
    platform_split: bool | None = None


def parse_output(text: str) -> OutputWish:
    """Read one `--output`: `KEY=VALUE,…`, a directory, or `-`.

    Raises BadOutputWish, UnsupportedOutput, BadAnnotation, BadPacking, InvalidReference, InvalidPlatform.
    """
    fields = _fields(text)
    if len(fields) == 1 and "=" not in fields[0]:
        if text == STDOUT:
            return OutputWish(kind="tar", destination=STDOUT)
        return OutputWish(kind="local", destination=text)
    attributes: dict[str, str] = {}
    for field in fields:
        key, equals, value = field.partition("=")
        if not equals:
            raise BadOutputWish(f"invalid value {field}")
        attributes[key.strip().lower() if "annotation" not in key else key.strip()] = value
    kind = attributes.pop("type", "")
    if not kind:
        raise BadOutputWish("type is required for output")
    if kind == "registry":
        kind = "image"
        attributes.setdefault("push", "true")
    if kind not in _ACCEPTED:
        raise BadOutputWish(
            f'unknown output type "{kind}"', advice=f"There are {', '.join(_ACCEPTED)}, registry."
        )
    return _wish(kind, attributes)


def _fields(text: str) -> list[str]:
    try:
        fields = next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise BadOutputWish(f"invalid output {text!r}: {error}") from error
    if not fields:
        raise BadOutputWish("an output is empty")
    return fields


def _wish(kind: str, attributes: dict[str, str]) -> OutputWish:
    annotations = []
    for key in [*attributes]:
        one = parse_attribute(key, attributes[key])
        if one is not None and kind in ("image", "docker", "oci"):
            del attributes[key]
            annotations.append(one)
    _check_keys(kind, attributes)
    flag = _Flags(kind, attributes).flag
    if not flag("rewrite-timestamp", True):
        raise UnsupportedOutput("rewrite-timestamp=false: times of files always follow SOURCE_DATE_EPOCH")
    if not flag("store", True):
        raise UnsupportedOutput("store=false: what is pushed goes through the store")
    if (mode := attributes.get("mode", "copy")) != "copy":
        raise UnsupportedOutput(f"output type {kind}: mode={mode} is not supported, only mode=copy")
    flag("name-canonical", True)  # a pushed image always has its repository and digest as a name
    by_digest = flag("push-by-digest", False)
    names = _names(attributes.get("name", ""), by_digest)
    layout = not flag("tar", True)
    wish = OutputWish(
        kind=kind, destination=_destination(kind, attributes.get("dest"), layout), names=names,
        push=flag("push", False), by_digest=by_digest, packing=_packing(attributes, flag), layout=layout,
        oci_types=flag("oci-mediatypes", True), annotations=tuple(annotations),
        platform_split=flag("platform-split", True) if "platform-split" in attributes else None,
    )  # fmt: skip
    # Docker's own type without a file is what the store holds anyway.
    return wish if wish.kind != "docker" or wish.destination else _loaded(wish)


def _check_keys(kind: str, attributes: Mapping[str, str]) -> None:
    for key in attributes:
        if key in _UNDONE:
            raise UnsupportedOutput(f"output type {kind}: {key} is not supported")
        if key not in _ACCEPTED[kind]:
            known = ", ".join(sorted(_ACCEPTED[kind])) or "none"
            raise BadOutputWish(f'output type {kind}: unknown key "{key}"', advice=f"It takes: {known}.")


class _Flags:
    def __init__(self, kind: str, attributes: Mapping[str, str]) -> None:
        self._kind = kind
        self._attributes = attributes

    def flag(self, key: str, default: bool) -> bool:
        value = self._attributes.get(key)
        if value is None:
            return default
        if value.lower() in ("1", "t", "true"):
            return True
        if value.lower() in ("0", "f", "false"):
            return False
        raise BadOutputWish(f'output type {self._kind}: {key}: "{value}" is neither true nor false')


def _packing(attributes: Mapping[str, str], flag: Callable[[str, bool], bool]) -> Packing | None:
    if not {"compression", "compression-level", "force-compression"} & {*attributes}:
        return None
    level = attributes.get("compression-level")
    if level is not None and not level.isdecimal():
        raise BadOutputWish(f'compression-level: "{level}" is no number')
    kind = attributes.get("compression", "gzip")
    return Packing(kind, int(level) if level is not None else None, flag("force-compression", False))


def _names(text: str, by_digest: bool) -> tuple[Reference, ...]:
    names = [Reference.parse(name.strip()) for name in text.split(",") if name.strip()]
    for name in names:
        if by_digest and name.tag is not None:
            raise BadOutputWish(f"can't push tagged ref {name} by digest")
    return tuple(name.tagged() for name in names)


def _destination(kind: str, path: str | None, layout: bool) -> str | None:
    if kind in ("image", "cacheonly"):
        return None
    if kind == "local" or layout:
        what = "local" if kind == "local" else f"{kind} directory"
        if not path:
            raise BadOutputWish(f"dest is required for {what} exporter")
        if path == STDOUT:
            raise BadOutputWish(f"dest cannot be stdout for {what} exporter")
        return path
    if kind == "docker" and path is None:
        return None
    return path or STDOUT


def _loaded(wish: OutputWish) -> OutputWish:
    if wish.layout:
        raise BadOutputWish("dest is required for docker directory exporter")
    return replace(wish, kind="image")
