"""Rebuild: the database again, from the image layout beside it.

index.json lists every image with its names, repository digests and parent; blobs and layers say the rest.
What it lists but the blobs no longer hold is left out and reported; the old files are set aside first.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import closing

from millefeuille import files
from millefeuille.annotations import Any
from millefeuille.errors import Conflict, Corrupt, MilleError
from millefeuille.oci import config as image_config
from millefeuille.oci import manifest as documents
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.manifest import Index, Manifest
from millefeuille.oci.reference import Reference
from millefeuille.oci.strictjson import InvalidDocument, parse_object
from millefeuille.plainjson import loads
from millefeuille.store import chains, containers, database, images, layers, leases, mirror, names, recording
from millefeuille.store.attachments import attachments
from millefeuille.store.chains import Prepare
from millefeuille.store.derive import derive
from millefeuille.store.images import LayerRecord
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """How many images were found again, and what could not be."""

    images: int
    losses: tuple[str, ...]


class StoreInUse(Conflict):
    """Other commands are bringing images in; what they claim is known to the database alone."""


def set_aside(store: Store, path: str) -> str:
    """Move a damaged file to lost+found; where it is now."""
    disk = store.disk
    files.make_directory(disk.lost)
    target = f"{disk.lost}/{os.path.basename(path)}-{time.time_ns()}"
    files.rename(path, target)
    return target


def rebuild(store: Store, prepare: Prepare | None = None) -> Rebuilt:
    """Make a new database. Raises LockTimeout, StoreInUse, OSError; a damaged entry is a loss, no error."""
    disk = store.disk
    disk.create()
    what = f"the store {disk.root}"
    with files.explained(what, root=disk.root), files.locked(disk.lock, what):
        if leases.anyone(disk):
            raise StoreInUse(
                f"{disk.root}: another command is bringing an image in", advice="Try again when it is done."
            )
        entries = _listed(disk.index)
        unread: list[str] = []
        if entries is None:
            entries = list(_discovered(store, unread))
        # Under another name until it is whole: an empty database must never stand beside a full layout.
        path = f"{disk.database}.new-rebuild"
        files.unlink(path)
        with database.making(path), closing(database.connect(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            transaction = Transaction(connection, disk)
            losses = unread + [loss for entry in entries for loss in _restore(store, transaction, entry)]
            if not entries and not unread and any(True for _ in store.blobs):
                losses.append("nothing in index.json or among the blobs says what they are")
            _choose_manifests(transaction, entries)
            losses += containers.restore(transaction)
            if prepare is not None:
                _prepare_again(store, transaction, prepare)
            number = max(mirror.written(disk.index), 0) + 1
            connection.execute("INSERT INTO meta VALUES ('sequence', ?)", (number,))
            count = connection.execute("SELECT count(*) FROM images").fetchone()[0]
            connection.execute("COMMIT")
        for old in (disk.database, f"{disk.database}-journal"):
            if os.path.exists(old) and os.stat(old).st_size:
                set_aside(store, old)
        files.unlink(f"{path}-journal")
        files.rename(path, disk.database)
        files.sync_directory(disk.root)
        with closing(database.connect(disk.database)) as connection:
            if losses and os.path.exists(disk.index):
                set_aside(store, disk.index)
            mirror.refresh(connection.execute, disk.index)
    return Rebuilt(images=count, losses=tuple(losses))


def _listed(path: str) -> list[Mapping[str, Any]] | None:
    """What index.json lists; None when it cannot be read."""
    try:
        with open(path, "rb") as file:
            listed = loads(file.read())["manifests"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else None


def _discovered(store: Store, losses: list[str]) -> Iterator[Mapping[str, Any]]:
    """The manifests of images among the blobs: without index.json, only their names are lost.

    What is damaged, or is written like a manifest or an index but cannot be read, goes to `losses`.
    """
    for digest in store.blobs:
        size = store.blobs.size(digest)
        if size > documents.MAXIMUM_BYTES:
            continue
        try:
            raw = store.blobs.read(digest)
        except MilleError as error:
            losses.append(str(error))
            continue
        try:
            document = documents.parse(raw, what=str(digest))
        except MilleError as error:
            if _is_like_manifest(raw):
                losses.append(str(error))
            continue
        if isinstance(document, Manifest) and document.is_image:
            yield Descriptor(media_type=document.media_type, digest=digest, size=size).to_json()


def _is_like_manifest(raw: bytes) -> bool:
    """Whether somebody wrote these bytes for a manifest or an index, good or bad."""
    try:
        fields = parse_object(raw, "")
    except InvalidDocument:
        return False
    return "schemaVersion" in fields and not fields.keys().isdisjoint(("config", "layers", "manifests"))


def _restore(store: Store, tx: Transaction, entry: Mapping[str, Any]) -> Iterator[str]:
    """Bring one entry of index.json back; a sentence on each thing that is lost."""
    facts = entry.get("annotations") or {}
    label = facts.get(mirror.REF_NAME) or str(entry.get("digest"))
    reasons: list[str] = []
    try:
        target = Descriptor.from_json(entry, "index.json")
        wanted = [Digest.parse(text) for text in facts.get(mirror.IMAGE, "").split(",") if text]
        held: dict[Digest, tuple[Digest, str]] = {}
        for descriptor, manifest in _manifests(store, tx, target, reasons, set()):
            # An image that is not listed here came half-way only, or is listed elsewhere.
            if manifest.config.digest in wanted or not wanted:
                held |= _restore_image(store, tx, descriptor, manifest, facts, reasons)
        for image in [image for image in reversed(wanted) if image in held] or [*held]:
            _rename(tx, facts, target.digest, image, *held[image])
        if not held or set(wanted) - set(held):
            what = ", ".join(image.short for image in wanted if image not in held) or "it"
            yield f"{label}: {what} is not complete: {'; '.join(reasons) or 'its manifest is missing'}"
    except (MilleError, OSError, ValueError) as error:
        yield f"{label}: {error}"


def _manifests(
    store: Store, tx: Transaction, target: Descriptor, reasons: list[str], seen: set[Digest]
) -> Iterator[tuple[Descriptor, Manifest]]:
    """The manifests of images at and below `target` that are here, but for those in `seen`.

    What is damaged goes to `reasons`.
    """
    if target.digest in seen:
        return
    seen.add(target.digest)
    try:
        document = documents.parse(store.blobs.read(target.digest), target.media_type)
    except MilleError as error:
        reasons.append(str(error))
        return
    if isinstance(document, Index):
        recording.add_index(tx, target, attachments(store.blobs, document))
        for below in document.manifests:
            if below.digest in store.blobs and documents.is_candidate(below):
                yield from _manifests(store, tx, below, reasons, seen)
    elif document.is_image:
        yield target, document


def _restore_image(
    store: Store, tx: Transaction, descriptor: Descriptor, manifest: Manifest, facts: Mapping[str, str],
    reasons: list[str],
) -> Mapping[Digest, tuple[Digest, str]]:  # fmt: skip
    """Record one image if it is complete: its manifest's digest and platform, by its ID."""
    try:
        config = image_config.parse(store.blobs.read(manifest.config.digest))
        parent = facts.get(mirror.PARENT)
        image = recording.add_image(
            tx, config, manifest, descriptor, tuple(_layers(store, manifest, config.diff_ids)),
            parent=Digest.parse(parent) if parent else None,
        )  # fmt: skip
        for blob, diff_id in zip(manifest.layers, config.diff_ids, strict=True):
            recording.add_layer_blob(tx, blob, diff_id)
        return {image: (descriptor.digest, str(config.platform))}
    except (MilleError, OSError, ValueError) as error:
        reasons.append(str(error))
        return {}


def _layers(store: Store, manifest: Manifest, diff_ids: tuple[Digest, ...]) -> Iterator[LayerRecord]:
    for blob, diff_id in zip(manifest.layers, diff_ids, strict=True):
        store.blobs.open(blob).close()  # holds that it is there, with the right size
        try:
            if not layers.is_made_from(store.disk, diff_id, blob.digest):
                raise Corrupt(f"layer {diff_id}: not known to be in {blob.digest}")
            yield layers.measure(store.disk, diff_id)
        except (Corrupt, FileNotFoundError):
            yield derive(store, blob, diff_id)


def _choose_manifests(tx: Transaction, entries: list[Mapping[str, Any]]) -> None:
    """Of several manifests, each image keeps the one it first came with."""
    for entry in entries:
        facts = entry.get("annotations") or {}
        if mirror.FIRST in facts:
            tx.execute(
                "UPDATE images SET manifest = m.digest FROM manifests m"
                " WHERE m.digest = ? AND m.image = images.id", (facts[mirror.FIRST],),
            )  # fmt: skip


def _prepare_again(store: Store, tx: Transaction, prepare: Prepare) -> None:
    """Record the metadata images that are there, by making them again: their old hashes are lost."""
    for image in tuple(images.images(tx)):
        if image.chain is not None and os.path.exists(store.disk.chain(image.chain)):
            made = prepare(store, images.layers_of(tx, image.id))
            if made is not None:
                chains.set_metadata(tx, *made)


def _rename(
    tx: Transaction, facts: Mapping[str, str], target: Digest, image: Digest, manifest: Digest, platform: str
) -> None:
    for item in facts.get(mirror.DIGESTS, "").split(","):
        repository, _, only = item.partition("@")
        if repository and only in ("", str(image)):
            names.add_repo_digest(tx, repository, target, image)
    if mirror.REF_NAME in facts:
        reference = Reference.parse(facts[mirror.REF_NAME])
        names.assign(tx, reference, target, image, manifest, platform)
        tagged = facts.get(mirror.TAGGED, "")
        if tagged.isdecimal():
            tx.execute("UPDATE names SET tagged_ns = ? WHERE name = ?", (int(tagged), str(reference)))
