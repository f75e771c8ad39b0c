"""Trees: each target of a name with the platforms in it, here or not, and what they take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from millefeuille.images.users import Users
from millefeuille.oci import manifest as documents
from millefeuille.oci.digest import Digest
from millefeuille.oci.manifest import Index
from millefeuille.oci.reference import Reference
from millefeuille.store import names
from millefeuille.store.blobs import Blobs
from millefeuille.store.images import ImageRecord, blobs_of, images, layer
from millefeuille.store.transaction import Transaction


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


def _targets(tx: Transaction, image: ImageRecord) -> list[tuple[str, Digest, Digest]]:
    targets = []
    for name in image.tags:
        held = names.target(tx, Reference.parse(name))
        if held is not None:
            targets.append((name, *held))
    return targets or [("", image.manifest, image.id)]


def _tree(tx: Transaction, blobs: Blobs, growth: _Growth, users: Users) -> Tree:
    variants: list[Variant] = []
    sizes: dict[str, int] = {}
    content: dict[str, int] = {}
    if _is_index(tx, growth.target):
        raw = blobs.read(growth.target)
        content[str(growth.target)] = len(raw)
        index = documents.parse(raw, what=str(growth.target))
        assert isinstance(index, Index)
        for entry in filter(documents.is_candidate, index.manifests):
            own_content, own_sizes = _parts(tx, entry.digest)
            held = _image_of(tx, entry.digest)
            variant = Variant(
                platform=str(entry.platform) if entry.platform else "unknown", id=held or entry.digest,
                here=held is not None, used=held is not None and bool(users.users(tx, held)),
                weight=_weight(own_content, own_sizes),
            )  # fmt: skip
            variants.append(variant)
            content |= own_content
            sizes |= own_sizes
    else:
        content, sizes = _parts(tx, growth.target)
    used = bool(users.users(tx, growth.image)) or any(variant.used for variant in variants)
    return Tree(
        names=tuple(Reference.parse(name).familiar for name in sorted(growth.names)), id=growth.image,
        used=used, weight=_weight(content, sizes), variants=tuple(variants),
    )  # fmt: skip


def _is_index(tx: Transaction, target: Digest) -> bool:
    return tx.execute("SELECT 1 FROM indexes WHERE digest = ?", (str(target),)).fetchone() is not None


def _image_of(tx: Transaction, manifest: Digest) -> Digest | None:
    row = tx.execute("SELECT image FROM manifests WHERE digest = ?", (str(manifest),)).fetchone()
    return Digest.parse(row[0]) if row else None


def _parts(tx: Transaction, manifest: Digest) -> tuple[dict[str, int], dict[str, int]]:
    """The blobs of a manifest that is here, and its layers' tars, by digest; shared ones count once."""
    row = tx.execute("SELECT image, size FROM manifests WHERE digest = ?", (str(manifest),)).fetchone()
    if row is None:
        return {}, {}
    image = next(images(tx, "id = ?", (row[0],)))
    content = {str(manifest): int(row[1]), row[0]: image.config_size}
    tars: dict[str, int] = {}
    for blob in blobs_of(tx, manifest):
        content[str(blob.digest)] = blob.size
        record = layer(tx, blob.diff_id)
        # A blob that came uncompressed is its own tar: one file with two names.
        if record is not None and blob.digest != blob.diff_id:
            tars[str(blob.diff_id)] = record.tar_size
    return content, tars


def _weight(content: dict[str, int], tars: dict[str, int]) -> Weight:
    fetched = sum(content.values())
    return Weight(content=fetched, usage=fetched + sum(tars.values()))
