"""ImageConfig: how an image is run, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.oci.configtypes import InvalidConfig, settle
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform, normalise
from millefeuille.oci.strictjson import parse_object
from millefeuille.values import dataclass, field

MAXIMUM_BYTES = 8 << 20


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
    """A parsed view over a config blob. `fields` is the whole document: unknown members are kept, known ones
    have the types that Docker gives them.

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
        return value


def parse(raw: bytes, what: str = "image config") -> ImageConfig:
    """Read a config blob. Raises InvalidConfig, InvalidDocument, InvalidDigest."""
    if len(raw) > MAXIMUM_BYTES:
        raise InvalidConfig(f"{what}: larger than {MAXIMUM_BYTES} bytes")
    fields = parse_object(raw, what)
    settle(fields, what)
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
        history=tuple(_history(entry) for entry in fields.get("history") or ()),
        created=fields.get("created") or "",
        author=fields.get("author") or "",
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


def _history(entry: Mapping[str, Any]) -> History:
    return History(
        created=entry.get("created") or "",
        created_by=entry.get("created_by") or "",
        author=entry.get("author") or "",
        comment=entry.get("comment") or "",
        empty_layer=bool(entry.get("empty_layer")),
    )
