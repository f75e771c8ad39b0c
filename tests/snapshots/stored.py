"""A store with images in it, for the parts of the drivers that work on one."""

from __future__ import annotations

from tests.store.memory import Memory, brought, compressed

from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.store.store import Store


def bring(store: Store, memory: Memory, name: str, *tars: bytes) -> list[Digest]:
    """Put an image of these layers into the store; the chain ID after each layer."""
    memory.add(name.partition(":")[2] or "latest", [compressed(tar, "") for tar in tars])
    brought(store, memory, name)
    return [*chain_ids(map(Digest.of, tars))]
