"""Trees: each target of a name with the platforms in it, here or not, and what they take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from millefeuille.annotations import Any
from millefeuille.images.users import Users
from millefeuille.oci import manifest as documents
from millefeuille.oci import mediatype
from millefeuille.oci.digest import Digest
from millefeuille.oci.manifest import Index
from millefeuille.oci.reference import Reference
from millefeuille.oci.strictjson import parse_object
from millefeuille.store import names
from millefeuille.store.blobs import Blobs
from millefeuille.store.images import ImageRecord, blobs_of, images, layer
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What is on the disk, in bytes: `content` as fetched, `usage` with the uncompressed layers."""

    content: int = 0
    usage: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One platform of an index. `id` is the image's, or its manifest's while the image is not here."""

    platform: str
    id: Digest
    here: bool
    used: bool
    weight: Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What one target holds; `names` are sorted, and empty for an image without one."""

    names: tuple[str, ...]
    id: Digest
    used: bool
    weight: Weight
    variants: tuple[Variant, ...] = ()


def trees(tx: Transaction, blobs: Blobs, found: Iterable[ImageRecord], users: Users) -> tuple[Tree, ...]:
    """The trees of `found`, in its order; images of one index are one tree. Raises BlobNotFound, Corrupt."""
    grown: dict[Digest, _Growth] = {}
    for image in found:
        for name, target, chosen in _targets(tx, image):
            tree = grown.setdefault(target, _Growth(target=target, image=chosen))
            if name and name not in tree.names:
                tree.names.append(name)
    return tuple(_tree(tx, blobs, growth, users) for growth in grown.values())


@dataclass(slots=True, kw_only=True)
class _Growth:
    target: Digest
    image: Digest
    names: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class _Parts:
    """Sizes by digest, so that what is shared counts once: documents and blobs, and uncompressed tars."""

    content: dict[str, int] = field(default_factory=dict)
    tars: dict[str, int] = field(default_factory=dict)

    @property
    def weight(self) -> Weight:
        fetched = sum(self.content.values())
        return Weight(content=fetched, usage=fetched + sum(self.tars.values()))


def _targets(tx: Transaction, image: ImageRecord) -> list[tuple[str, Digest, Digest]]:
    targets = []
    for name in image.tags:
        held = names.target(tx, Reference.parse(name))
        if held is not None:
            targets.append((name, *held))
    return targets or [("", image.manifest, image.id)]


def _tree(tx: Transaction, blobs: Blobs, growth: _Growth, users: Users) -> Tree:
    own = _Parts()
    variants: list[Variant] = []
    if _is_index(tx, growth.target):
        for manifest, platform in _entries(blobs, growth.target, own):
            parts = _parts(tx, manifest)
            own.content |= parts.content
            own.tars |= parts.tars
            variants.append(_variant(tx, manifest, platform, parts, users))
    else:
        own = _parts(tx, growth.target)
    used = bool(users.users(tx, growth.image)) or any(variant.used for variant in variants)
    names = tuple(Reference.parse(name).familiar for name in sorted(growth.names))
    return Tree(names=names, id=growth.image, used=used, weight=own.weight, variants=tuple(variants))


def _entries(blobs: Blobs, target: Digest, own: _Parts) -> Iterable[tuple[Digest, str]]:
    """The images of an index: the manifest's digest, and the platform as it is written there.

    Those of an index within it are among them, each once for a platform; the size of each index goes to
    `own`, and none that is there already is read again.
    """
    raw, what = blobs.read(target), str(target)
    own.content[what] = len(raw)
    index = documents.parse(raw, what=what)
    assert isinstance(index, Index)
    found: dict[tuple[Digest, str], None] = {}
    for entry, written in zip(index.manifests, parse_object(raw, what)["manifests"], strict=True):
        if entry.media_type in mediatype.INDEXES and entry.digest in blobs:
            if str(entry.digest) not in own.content:
                found |= dict.fromkeys(_entries(blobs, entry.digest, own))
        elif documents.is_candidate(entry):
            found[entry.digest, _spelled(written.get("platform") or {})] = None
    return found


def _variant(tx: Transaction, manifest: Digest, platform: str, parts: _Parts, users: Users) -> Variant:
    row = tx.execute("SELECT image FROM manifests WHERE digest = ?", (str(manifest),)).fetchone()
    held = Digest.parse(row[0]) if row else None
    used = held is not None and bool(users.users(tx, held))
    return Variant(
        platform=platform, id=held or manifest, here=held is not None, used=used, weight=parts.weight
    )


def _spelled(platform: Mapping[str, Any]) -> str:
    """A platform as the index writes it: Docker shows `arm64/v8` here, which is otherwise said without v8."""
    words = (platform.get("os"), platform.get("architecture"), platform.get("variant"))
    return "/".join(str(word) for word in words if word) or "unknown"


def _is_index(tx: Transaction, target: Digest) -> bool:
    return tx.execute("SELECT 1 FROM indexes WHERE digest = ?", (str(target),)).fetchone() is not None


def _parts(tx: Transaction, manifest: Digest) -> _Parts:
    """What a manifest brings along; nothing for one that is not here."""
    parts = _Parts()
    row = tx.execute("SELECT image, size FROM manifests WHERE digest = ?", (str(manifest),)).fetchone()
    if row is None:
        return parts
    image = next(images(tx, "id = ?", (row[0],)))
    parts.content |= {str(manifest): int(row[1]), row[0]: image.config_size}
    for blob in blobs_of(tx, manifest):
        parts.content[str(blob.digest)] = blob.size
        record = layer(tx, blob.diff_id)
        # A blob that came uncompressed is its own tar: one file with two names.
        if record is not None and blob.digest != blob.diff_id:
            parts.tars[str(blob.diff_id)] = record.tar_size
    return parts
