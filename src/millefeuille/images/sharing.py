"""Sharing: which layers images have in common, in bytes of the layers' files."""

from __future__ import annotations

from millefeuille.images.listing import Row, rows, visible
from millefeuille.store.images import LayerRecord, layers_of
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedImage:
    """One name. `shared` bytes lie in layers that another image has too, `unique` in layers of its own."""

    row: Row
    layers: int
    shared: int
    unique: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLayer:
    """One layer on the disk, and the images that stand on it, by name or short ID."""

    layer: LayerRecord
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """All images and all their layers; the layers that most images share come first."""

    images: tuple[SharedImage, ...]
    layers: tuple[SharedLayer, ...]


def sharing(tx: Transaction) -> Sharing:
    """Who shares what with whom."""
    stacks = {image.id: layers_of(tx, image.id) for image in visible(tx, all=True)}
    holders: dict[str, set[str]] = {}
    records: dict[str, LayerRecord] = {}
    for image, stack in stacks.items():
        for record in stack:
            records[record.diff_id.hex] = record
            holders.setdefault(record.diff_id.hex, set()).add(str(image))
    shown: list[SharedImage] = []
    labels: dict[str, list[str]] = {}
    for row in rows(visible(tx)):
        own = {record.diff_id.hex: record for record in stacks[row.image.id]}
        shared = sum(r.content_size for key, r in own.items() if len(holders[key]) > 1)
        unique = sum(r.content_size for key, r in own.items() if len(holders[key]) == 1)
        shown.append(SharedImage(row=row, layers=len(stacks[row.image.id]), shared=shared, unique=unique))
        label = f"{row.repository}:{row.tag}" if row.tag else row.image.id.short
        for key in own:
            labels.setdefault(key, []).append(label)
    layers = [SharedLayer(layer=record, users=tuple(labels.get(key, ()))) for key, record in records.items()]
    layers.sort(key=lambda layer: (-len(holders[layer.layer.diff_id.hex]), -layer.layer.content_size))
    return Sharing(images=tuple(shown), layers=tuple(layers))
