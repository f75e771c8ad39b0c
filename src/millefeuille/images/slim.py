"""Slim: an image without what its layers hold in vain, and with the same files.

account ─► cuts ─► layers above the base written again ─► both trees compared ─► recorded
"""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.analysis.image import Image, make_image
from millefeuille.analysis.ledger import ledger
from millefeuille.analysis.slimming import Cut, cuts, saved
from millefeuille.errors import Failed, Invalid
from millefeuille.images.content import config_of, find_platform
from millefeuille.images.tag import check_tag
from millefeuille.layers.entry import DIRECTORY, FILE
from millefeuille.layers.ingest import LayerContent
from millefeuille.layers.tarheader import Metadata, encode
from millefeuille.oci import config as image_config
from millefeuille.oci import mediatype
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.oci.platform import Platform
from millefeuille.oci.reference import Reference
from millefeuille.plainjson import dumps, loads
from millefeuille.store import events, leases, recording
from millefeuille.store.cutting import cut_layer
from millefeuille.store.filetree import FileTree
from millefeuille.store.images import ImageRecord, LayerRecord, blobs_of, images, layers_of
from millefeuille.store.layers import open_index
from millefeuille.store.leases import Lease
from millefeuille.store.making import made_blob
from millefeuille.store.sametree import unlike
from millefeuille.store.store import Store
from millefeuille.transfer.keeping import store_documents
from millefeuille.transfer.made import make_plan
from millefeuille.transfer.record import record_name
from millefeuille.values import dataclass


class NotSlimmed(Failed):
    """The slimmed image would not show the same files."""


class NoBase(Invalid):
    """The image does not stand on the one that it is said to stand on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slimmed:
    """The new image's ID, the layers left as they were and those written again, and the bytes left out.

    With nothing to leave out it is the image itself.
    """

    image: Digest
    kept: int
    rewritten: int
    saved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    record: ImageRecord
    config: ImageConfig
    layers: tuple[LayerRecord, ...]
    blobs: tuple[Descriptor, ...]
    image: Image


def slim(
    store: Store,
    text: str,
    *,
    base: str = "",
    name: Reference | None = None,
    platform: Platform | None = None,
) -> Slimmed:
    """Make the slimmed image of what `text` means, called `name`; an image that it had before goes on.

    The layers that it shares from the lowest on with another image that has a name, or with `base`, stay.
    Raises BadTag, NotAName, NoSuchImage, NoBase, NotSlimmed, DamagedLayer, DamagedContent, DiskFull,
    ReadOnlyStore.
    """
    if name is not None:
        check_tag(name)
    with leases.upheld(store.disk, "slim", lambda: _claimed(store, text, platform), lambda it: it[1]) as (
        (record, _), lease,
    ):  # fmt: skip
        found = _find(store, record, text, base, platform)
        image = found.image
        account = ledger(image.layers, image.sizes, base=image.base)
        removed = cuts(image.layers, account, image.base)
        layers, blobs = _layers(store, found, removed, lease)
        if _unlike(store, found.layers, layers, text) is not None:
            # Some entries do more by being there than can be told from one layer.
            removed = cuts(image.layers, account, image.base, careful=True)
            layers, blobs = _layers(store, found, removed, lease)
            _prove(store, found.layers, layers, text)
        made = _record(store, found, layers, blobs, lease, name)
    rewritten = sum(bool(cut) for cut in removed)
    return Slimmed(
        image=made, kept=len(layers) - rewritten, rewritten=rewritten, saved=saved(image.layers, removed)
    )  # fmt: skip


def _claimed(store: Store, text: str, platform: Platform | None) -> tuple[ImageRecord, set[Digest]]:
    """The image, and what must not be removed meanwhile."""
    with store.reading() as tx:
        record = find_platform(tx, text, platform)
        diff_ids = [layer.diff_id for layer in layers_of(tx, record.id)]
        blobs = [blob.digest for blob in blobs_of(tx, record.manifest)]
    return record, {record.id, *blobs, *diff_ids, *chain_ids(diff_ids)}


def _find(store: Store, record: ImageRecord, text: str, base: str, platform: Platform | None) -> _Found:
    with store.reading() as tx:
        layers = layers_of(tx, record.id)
        blobs = blobs_of(tx, record.manifest)
        config = config_of(store.blobs, record)
        others = [other for other in images(tx) if other.id != record.id and (other.tags or other.digests)]
        stacks = [stack for other in others if (stack := layers_of(tx, other.id)) != layers]
        given = layers_of(tx, find_platform(tx, base, platform).id) if base else ()
        rows = [
            (open_index(store.disk, layer), blob.digest, blob.size)
            for layer, blob in zip(layers, blobs, strict=True)
        ]
    shared = _common(layers, given)
    if base and shared < len(given):
        raise NoBase(f"{text} does not have all layers of {base}")
    count = max([shared, *(_common(layers, stack) for stack in stacks)])
    return _Found(
        record=record, config=config, layers=layers, image=make_image(text, config, rows, base=count),
        blobs=tuple(
            Descriptor(
                media_type=mediatype.as_oci(blob.media_type), digest=blob.digest,
                size=blob.size,
            )
            for blob in blobs
        ),
    )  # fmt: skip


def _common(one: Sequence[LayerRecord], other: Sequence[LayerRecord]) -> int:
    """How many of the lowest layers are the same."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a.diff_id != b.diff_id:
            break
        count += 1
    return count


def _layers(
    store: Store, found: _Found, removed: Sequence[dict[int, Cut]], lease: Lease
) -> tuple[list[LayerRecord], list[Descriptor]]:
    """The new stack; layers that nothing is taken from are the old ones."""
    layers, blobs = list[LayerRecord](), list[Descriptor]()

    def claim(made: LayerContent) -> None:
        lease.claim({made.diff_id, *chain_ids([*(layer.diff_id for layer in layers), made.diff_id])})

    for number, (layer, cut) in enumerate(zip(found.layers, removed, strict=True)):
        if not cut:
            layers.append(layer)
            blobs.append(found.blobs[number])
            lease.claim(chain_ids([layer.diff_id for layer in layers]))
            continue
        paths = found.image.layers[number].paths
        bytes_ = {entry: _replaced(paths[entry], what) for entry, what in cut.items()}
        record, content = cut_layer(store, layer, bytes_, claim)
        layers.append(record)
        blobs.append(made_blob(content))
    return layers, blobs


def _replaced(path: bytes, cut: Cut) -> bytes:
    """The bytes in the place of an entry."""
    made = [encode(Metadata(path=each, kind=DIRECTORY, mode=0o755)) for each in cut.directories]
    return b"".join((*made, encode(Metadata(path=path, kind=FILE, mode=0)) if cut.stub else b""))


def _unlike(store: Store, old: Sequence[LayerRecord], new: Sequence[LayerRecord], text: str) -> bytes | None:
    with FileTree(store.disk, old, text) as before, FileTree(store.disk, new, text) as after:
        return unlike(before, after)


def _prove(store: Store, old: Sequence[LayerRecord], new: Sequence[LayerRecord], text: str) -> None:
    path = _unlike(store, old, new, text)
    if path is not None:
        shown = path.decode(errors="backslashreplace")
        raise NotSlimmed(f"{text} was left as it is: without what is shadowed, /{shown} would be another")


def _record(
    store: Store, found: _Found, layers: Sequence[LayerRecord], blobs: Sequence[Descriptor], lease: Lease,
    name: Reference | None,
) -> Digest:  # fmt: skip
    fields = loads(found.config.raw)
    if [layer.diff_id for layer in layers] != [layer.diff_id for layer in found.layers]:
        fields["rootfs"]["diff_ids"] = [str(layer.diff_id) for layer in layers]
        raw = dumps(fields, separators=(",", ":")).encode()
        plan = make_plan(image_config.parse(raw), blobs)
    elif name is None:
        return found.record.id
    else:
        plan = make_plan(found.config, blobs)
    lease.claim([digest for digest, _ in plan.documents])
    store_documents(store, plan)
    with store.writing() as tx:
        identifier = recording.add_image(tx, plan.config, plan.manifest, plan.descriptor, layers)
        for blob, layer in zip(blobs, layers, strict=True):
            recording.add_layer_blob(tx, blob, layer.diff_id)
        if name is not None:
            record_name(tx, plan, identifier, name)
            events.record(tx, "tag", str(identifier), {**plan.config.labels, "name": name.familiar})
        leases.release(tx, lease)
    return identifier
