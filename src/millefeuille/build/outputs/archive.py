"""A build's result as an image archive or an OCI layout, `--output type=oci` and `type=docker`.

Nothing of it becomes an image of the store. A tar is the one that `mille image save` writes of such an
image; a layout in a directory keeps what was in it, but for the names that it has anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence

from millefeuille import files
from millefeuille.annotations import Any, Final
from millefeuille.build.outputs.destination import check_destination
from millefeuille.build.outputs.product import Product
from millefeuille.errors import Invalid
from millefeuille.oci.digest import Digest
from millefeuille.oci.gotext import encoded
from millefeuille.oci.reference import Reference
from millefeuille.store.blobs import corrupt
from millefeuille.store.store import Store
from millefeuille.transfer.archive import listings
from millefeuille.transfer.archive.gather import Gathered, Packed
from millefeuille.transfer.archive.landmarks import CONTAINERD_NAME, REF_NAME
from millefeuille.transfer.archive.output import complete_file
from millefeuille.transfer.archive.save import members_of, size_of, write_members
from millefeuille.transfer.archive.selection import Chosen
from millefeuille.transfer.archive.tarwriter import TarWriter, writer_to

Write = Callable[[bytes | memoryview], object]

CREATED: Final = "org.opencontainers.image.created"


class BadLayout(Invalid):
    """The directory holds something, but no OCI layout."""


def archive_to_file(
    store: Store, product: Product, names: Sequence[Reference], path: str, *, oci: bool
) -> None:
    """Write the archive to the file `path`; nothing is there unless all of it is.

    Raises BadOutput, BlobNotFound, CorruptBlob, DiskFull, ReadOnlyStore, Failed.
    """
    check_destination(path)
    gathered = _gathered(product, names)
    members = members_of(gathered, oci=oci)
    with complete_file(path, size_of(gathered, members)) as descriptor:
        write_members(store, gathered, members, writer_to(descriptor))


def archive_to_stream(
    store: Store, product: Product, names: Sequence[Reference], write: Write, *, oci: bool
) -> None:
    """Hand the archive's bytes to `write` in order. Raises BlobNotFound, CorruptBlob, what `write` raises."""
    gathered = _gathered(product, names)
    write_members(store, gathered, members_of(gathered, oci=oci), TarWriter(write))


def archive_to_layout(
    store: Store, product: Product, names: Sequence[Reference], path: str, *, oci: bool
) -> None:
    """Put the image into the OCI layout in the directory `path`, made where it is missing.

    `index.json` comes last, and has its name when all it leads to is there. Raises BadLayout, BlobNotFound,
    CorruptBlob, DiskFull, ReadOnlyStore, Failed.
    """
    gathered = _gathered(product, names)
    members = members_of(gathered, oci=oci)
    known = _known_entries(path)
    with files.explained(path):
        for algorithm in {os.path.dirname(name) for name in members}:
            files.make_directories(os.path.join(path, algorithm))
        for name, content in members.items():
            if name.startswith("blobs/"):
                _put_blob(store, gathered, content, os.path.join(path, name))
        files.replace_file(os.path.join(path, "oci-layout"), listings.LAYOUT, 0o644)
        if not oci:
            files.replace_file(os.path.join(path, "manifest.json"), listings.manifest_json(gathered), 0o644)
        index = json.loads(listings.index_json(gathered))
        index["manifests"] = _merged(known, index["manifests"])
        raw = encoded(json.dumps(index, separators=(",", ":"), ensure_ascii=False))
        files.replace_file(os.path.join(path, "index.json"), raw, 0o644)


def _gathered(product: Product, names: Sequence[Reference]) -> Gathered:
    chosen = product.chosen
    variants = [chosen, *(one for one in product.variants if one is not chosen)]
    packed = [Packed(manifest=one.plan.manifest, config=one.plan.config) for one in variants]
    manifests = tuple(one.plan.descriptor for one in variants)
    entries = [
        (Chosen(name=name, target=product.target, manifests=manifests), product.target, packed)
        for name in (*names,) or (None,)
    ]
    layers = {layer.digest: layer for one in variants for layer in one.plan.manifest.layers}
    created = chosen.plan.config.created
    notes = dict(product.target.annotations) | ({CREATED: created} if created else {})
    documents = {digest: raw for digest, raw in product.documents.items() if digest not in layers}
    return Gathered(documents=documents, layers=layers, entries=entries, notes=notes)


def _known_entries(path: str) -> list[dict[str, Any]]:
    """What a layout lists that is there already."""
    try:
        with open(os.path.join(path, "index.json"), "rb") as file:
            manifests = json.load(file)["manifests"]
        if all(isinstance(entry["digest"], str) for entry in manifests):
            return list(manifests)
    except FileNotFoundError:
        return []
    except (ValueError, KeyError, TypeError):
        pass
    raise BadLayout(f"{path}: index.json is none of an OCI layout")


def _merged(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The new entries, and of the old ones those that none of these replaces."""
    return [entry for entry in old if not any(_replaces(one, entry) for one in new)] + new


def _replaces(new: dict[str, Any], old: dict[str, Any]) -> bool:
    """The same name, or the same tag where the old entry says no more; of nameless ones the same image."""
    ours, theirs = new.get("annotations") or {}, old.get("annotations") or {}
    if REF_NAME not in ours or REF_NAME not in theirs:
        return bool(new["digest"] == old["digest"])
    key = CONTAINERD_NAME if CONTAINERD_NAME in theirs else REF_NAME
    return bool(ours.get(key) == theirs[key])


def _put_blob(store: Store, gathered: Gathered, content: bytes | Digest, path: str) -> None:
    if os.path.exists(path):  # its name says what is in it, and it got that when all of it was there
        return
    if isinstance(content, bytes):
        files.replace_file(path, content, 0o644)
        return
    blob = gathered.layers[content]
    hasher = blob.digest.hasher()
    with complete_file(path, blob.size) as descriptor, store.blobs.open(blob) as source:
        while data := source.read(1 << 20):
            hasher.update(data)
            files.write(descriptor, data)
        if hasher.hexdigest() != blob.digest.hex:
            raise corrupt(blob.digest, "does not match its digest")
        files.change_mode(descriptor, 0o644)
