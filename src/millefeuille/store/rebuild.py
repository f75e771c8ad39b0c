"""Rebuild: the database again, from the image layout beside it.

index.json lists every image with its names, repository digests and parent; blobs and layers say the rest.
What it lists but the blobs no longer hold is left out and reported; the old files are set aside first.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from millefeuille import files
from millefeuille.errors import MilleError
from millefeuille.oci import config as image_config
from millefeuille.oci import manifest as documents
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.manifest import Index, Manifest
from millefeuille.oci.reference import Reference
from millefeuille.store import database, images, layers, mirror, names
from millefeuille.store.derive import derive
from millefeuille.store.images import LayerRecord
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """How many images were found again, and what could not be."""

    images: int
    losses: tuple[str, ...]


def set_aside(store: Store, path: str) -> str:
    """Move a damaged file to lost+found; where it is now."""
    disk = store.disk
    files.make_directory(disk.lost)
    target = f"{disk.lost}/{os.path.basename(path)}-{time.time_ns()}"
    files.rename(path, target)
    return target


def rebuild(store: Store) -> Rebuilt:
    """Make a new database. Raises LockTimeout, OSError; a damaged entry is a loss, not an error."""
    disk = store.disk
    with files.locked(disk.lock, f"the store {disk.root}"):
        entries = _entries(disk.index)
        # Under another name until it is whole: an empty database must never stand beside a full layout.
        path = f"{disk.database}.new-rebuild"
        files.unlink(path)
        with closing(database.connect(path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            transaction = Transaction(connection, disk)
            losses = [loss for entry in entries if (loss := _restore(store, transaction, entry))]
            number = max(mirror.written(disk.index), 0) + 1
            connection.execute("INSERT INTO meta VALUES ('sequence', ?)", (number,))
            count = connection.execute("SELECT count(*) FROM images").fetchone()[0]
            connection.execute("COMMIT")
        for old in (disk.database, f"{disk.database}-journal"):
            if os.path.exists(old):
                set_aside(store, old)
        files.unlink(f"{path}-journal")
        files.rename(path, disk.database)
        files.sync_directory(disk.root)
        with closing(database.connect(disk.database)) as connection:
            if losses and os.path.exists(disk.index):
                set_aside(store, disk.index)
            mirror.refresh(connection.execute, disk.index)
    return Rebuilt(images=count, losses=tuple(losses))


def _entries(path: str) -> list[Mapping[str, Any]]:
    try:
        with open(path, "rb") as file:
            listed = json.loads(file.read())["manifests"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []


def _restore(store: Store, tx: Transaction, entry: Mapping[str, Any]) -> str | None:
    """Bring one entry of index.json back; a sentence on what is lost, None for nothing."""
    facts = entry.get("annotations") or {}
    label = facts.get(mirror.REF_NAME) or str(entry.get("digest"))
    try:
        target = Descriptor.from_json(entry, "index.json")
        wanted = [Digest.parse(text) for text in facts.get(mirror.IMAGE, "").split(",") if text]
        held = dict(_images(store, tx, target, facts))
        chosen = [image for image in reversed(wanted) if image in held] or [*held]
        for image in chosen:
            descriptor, platform = held[image]
            _rename(tx, facts, target.digest, image, descriptor, platform)
        missing = [str(image) for image in wanted if image not in held]
        return f"{label}: image {', '.join(missing)} is not complete" if missing or not held else None
    except (MilleError, OSError, ValueError) as error:
        return f"{label}: {error}"


def _images(
    store: Store, tx: Transaction, target: Descriptor, facts: Mapping[str, str]
) -> Iterator[tuple[Digest, tuple[Digest, str]]]:
    """Record every image below `target` that is complete on the disk: ID, manifest digest, platform."""
    document = documents.parse(store.blobs.read(target.digest), target.media_type)
    if isinstance(document, Index):
        images.add_index(tx, target)
        for below in document.manifests:
            if below.digest in store.blobs and documents.is_candidate(below):
                yield from _images(store, tx, below, facts)
        return
    if document.is_image and document.config.digest in store.blobs:
        config = image_config.parse(store.blobs.read(document.config.digest))
        parent = facts.get(mirror.PARENT)
        image = images.add_image(
            tx, config, document, target, _layers(store, tx, document, config.diff_ids),
            parent=Digest.parse(parent) if parent else None,
        )  # fmt: skip
        yield image, (target.digest, str(config.platform))


def _layers(
    store: Store, tx: Transaction, manifest: Manifest, diff_ids: tuple[Digest, ...]
) -> Iterator[LayerRecord]:
    for blob, diff_id in zip(manifest.layers, diff_ids, strict=True):
        if layers.is_made_from(store.disk, diff_id, blob.digest):
            store.blobs.open(blob).close()  # holds that it is there, with the right size
            record = layers.measure(store.disk, diff_id)
        else:
            record = derive(store, blob, diff_id)
        images.add_layer_blob(tx, blob, diff_id)
        yield record


def _rename(
    tx: Transaction, facts: Mapping[str, str], target: Digest, image: Digest, manifest: Digest, platform: str
) -> None:
    if mirror.REF_NAME in facts:
        reference = Reference.parse(facts[mirror.REF_NAME])
        names.assign(tx, reference, target, image, manifest, platform)
        tagged = facts.get(mirror.TAGGED, "")
        if tagged.isdecimal():
            tx.execute("UPDATE names SET tagged_ns = ? WHERE name = ?", (int(tagged), str(reference)))
    for repository in facts.get(mirror.DIGESTS, "").split(","):
        if repository:
            names.add_repo_digest(tx, repository, target, image)
