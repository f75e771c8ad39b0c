"""ImageConfig: how an image is run, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.errors import Invalid
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform, normalise
from millefeuille.oci.strictjson import parse_object
from millefeuille.values import dataclass, field

MAXIMUM_BYTES = 8 << 20


class InvalidConfig(Invalid):
    """The bytes are not an image config."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One step of an image's making; `created` is the text as written, "" when absent."""

    created: str = ""
    created_by: str = ""
    author: str = ""
    comment: str = ""
    empty_layer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """A parsed view over a config blob. `fields` is the whole document: unknown members are kept.

    Source: OCI image-spec, config.md.
    """

    raw: bytes = field(repr=False)
    fields: Mapping[str, Any] = field(repr=False, hash=False)
    platform: Platform
    diff_ids: tuple[Digest, ...]
    history: tuple[History, ...]
    created: str = ""
    author: str = ""

    @property
    def id(self) -> Digest:
        """The image ID: the digest of the config."""
        return Digest.of(self.raw)

    @property
    def process(self) -> Mapping[str, Any]:
        """The `config` member: Cmd, Env, Labels and so on; empty when absent."""
        value = self.fields.get("config")
        return value if isinstance(value, dict) else {}

    @property
    def filled_steps(self) -> int:
        """How many steps of the history made a layer. Some histories leave layers out."""
        return sum(not entry.empty_layer for entry in self.history)

    @property
    def labels(self) -> Mapping[str, str]:
        """The image's labels."""
        value = self.process.get("Labels")
        if not isinstance(value, dict):
            return {}
        return {key: text for key, text in value.items() if isinstance(text, str)}


def parse(raw: bytes, what: str = "image config") -> ImageConfig:
    """Read a config blob. Raises InvalidConfig, InvalidDocument, InvalidDigest."""
    if len(raw) > MAXIMUM_BYTES:
        raise InvalidConfig(f"{what}: larger than {MAXIMUM_BYTES} bytes")
    fields = parse_object(raw, what)
    rootfs = fields.get("rootfs")
    diff_ids = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if diff_ids is not None and not isinstance(diff_ids, list):
        raise InvalidConfig(f"{what}: rootfs.diff_ids must be a list")
    texts = [fields.get(key) for key in ("os", "architecture", "variant", "os.version")]
    if not all(text is None or isinstance(text, str) for text in texts):
        raise InvalidConfig(f"{what}: os and architecture must be strings")
    return ImageConfig(
        raw=raw,
        fields=fields,
        platform=normalise(texts[0] or "linux", *(text or "" for text in texts[1:])),
        diff_ids=tuple(Digest.parse(digest) for digest in diff_ids or ()),
        history=tuple(_history(entry, what) for entry in _entries(fields, what)),
        created=_text(fields.get("created")),
        author=_text(fields.get("author")),
    )


def check_layers(config: ImageConfig, layers: int, what: str) -> None:
    """Hold that a config describes exactly `layers` layers, and that its history tells of no more.

    It may tell of fewer, as Docker takes it. Raises InvalidConfig.
    """
    filled = config.filled_steps
    if len(config.diff_ids) != layers:
        raise InvalidConfig(f"{what}: {layers} layers, but the config lists {len(config.diff_ids)} diff IDs")
    if filled > layers:
        raise InvalidConfig(f"{what}: {layers} layers, but the history has {filled} that are not empty")


def _entries(fields: Mapping[str, Any], what: str) -> list[object]:
    history = fields.get("history")
    if history is not None and not isinstance(history, list):
        raise InvalidConfig(f"{what}: history must be a list")
    return history or []


def _history(entry: object, what: str) -> History:
    if not isinstance(entry, dict):
        raise InvalidConfig(f"{what}: a history entry must be an object")
    return History(
        created=_text(entry.get("created")),
        created_by=_text(entry.get("created_by")),
        author=_text(entry.get("author")),
        comment=_text(entry.get("comment")),
        empty_layer=bool(entry.get("empty_layer")),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
