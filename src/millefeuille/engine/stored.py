"""The engine's analysis of an image in the store, with what was worked out before."""

from __future__ import annotations

import contextlib

from millefeuille.analysis.image import Image, make_image
from millefeuille.engine.analysis import Analysis
from millefeuille.engine.kept import base_of, kept
from millefeuille.errors import MilleError
from millefeuille.images.content import config_of, find_platform
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.platform import Platform
from millefeuille.store.images import blobs_of, layers_of
from millefeuille.store.layers import open_index
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction


def stored(store: Store, name: str, platform: Platform | None = None) -> Analysis:
    """The analysis of an image in the store. Raises NoSuchImage, PlatformMissing, InvalidReference,
    DamagedLayer.
    """
    with store.reading() as tx:
        record = find_platform(tx, name, platform)
        layers = layers_of(tx, record.id)
        base, base_name = base_of(tx, tuple(layer.diff_id for layer in layers))
        # Opened within the transaction: a removal cannot take away what is mapped.
        rows = [
            (open_index(store.disk, layer), blob.digest, blob.size)
            for layer, blob in zip(layers, blobs_of(tx, record.manifest), strict=True)
        ]
        config = config_of(store.blobs, record)
        steps = _base_steps(store, tx, base_name, config) if base else 0
        place = kept(store, tx, record, name, (base, base_name))
    image: Image = make_image(name, config, rows, base=base, base_name=base_name, base_steps=steps)
    return Analysis(image=image, kept=place)


def _base_steps(store: Store, tx: Transaction, base_name: str, config: ImageConfig) -> int:
    """How many steps of the history are those of the base; 0 where its history is another or incomplete."""
    with contextlib.suppress(MilleError):
        base = config_of(store.blobs, find_platform(tx, base_name, config.platform))
        # Steps of its layers that it does not tell of may stand behind its own.
        told = base.filled_steps == len(base.diff_ids)
        if told and config.history[: len(base.history)] == base.history:
            return len(base.history)
    return 0
