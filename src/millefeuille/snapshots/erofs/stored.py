"""Stored chains: metadata images made from the store's layers, once, and checked before they are mounted."""

from __future__ import annotations

import os
from collections.abc import Sequence

from millefeuille import files
from millefeuille.later import Later, blake3
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_id
from millefeuille.snapshots.chain import Chain
from millefeuille.snapshots.erofs.checked import Checked
from millefeuille.snapshots.storedlayers import DamagedChain, check_sizes, hash_of, open_index, tars
from millefeuille.store import chains, leases
from millefeuille.store.chains import Metadata
from millefeuille.store.images import LayerRecord
from millefeuille.store.naming import rename_new
from millefeuille.store.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.snapshots.erofs import merged
else:
    merged = Later("millefeuille.snapshots.erofs.merged")

__all__ = ["DamagedChain", "make_metadata", "stored_chain"]


def make_metadata(store: Store, layers: Sequence[LayerRecord]) -> tuple[Digest, Metadata]:
    """Write the metadata image of these layers, lowest first; the caller records it.

    Safe in several processes at once: the bytes are the same wherever they are made. Raises OSError, and
    what `merged_image` raises.
    """
    chain = chain_id(layer.diff_id for layer in layers)
    assert chain is not None  # an image without layers has no chain
    image = merged.merged_image(chain, tars(store, layers), (open_index(store, layer) for layer in layers))
    temporary = f"{store.disk.ingest}/chain-{os.urandom(16).hex()}"
    descriptor = files.create(temporary, 0o400)
    try:
        files.write(descriptor, image)
        files.sync(descriptor)
    finally:
        os.close(descriptor)
    made = Metadata(size=len(image), hash=blake3.blake3(image).hexdigest())
    target = store.disk.chain(chain)
    if not rename_new(temporary, target):
        if hash_of(target) == made.hash:
            files.unlink(temporary)
        else:
            files.rename(temporary, target)
    files.sync_directory(store.disk.chains)
    return chain, made


def stored_chain(store: Store, chain: Digest, checked: Checked | None = None) -> Chain:
    """The files of a chain, ready to be mounted: made when missing or damaged, sizes and hash checked.

    The hash is not looked at again where `checked` knows the file. Raises NoSuchChain, DamagedChain, OSError.
    """
    with store.reading() as tx:
        layers = chains.layers_of_chain(tx, chain)
        recorded = chains.metadata(tx, chain)
    check_sizes(store, layers)
    path = store.disk.chain(chain)
    if recorded is None or not _is_right(path, recorded, checked):
        # Under a lease: a prune beside this one must not sweep the image before it is recorded.
        claims = [chain, *(layer.diff_id for layer in layers)]
        with leases.lease(store.disk, f"metadata of {chain}", claims) as lease:
            _, made = make_metadata(store, layers)
            with store.writing() as tx:
                chains.set_metadata(tx, chain, made)
                leases.release(tx, lease)
    return Chain(id=chain, metadata=path, layers=tars(store, layers))


def _is_right(path: str, recorded: Metadata, checked: Checked | None) -> bool:
    """Whether the metadata image is the one on record."""
    if not os.path.exists(path):
        return False
    if checked is not None and checked.is_known(path, recorded.hash):
        return True
    if hash_of(path) != recorded.hash:
        return False
    if checked is not None:
        checked.remember(path, recorded.hash)
    return True
