"""Chain: a stack of layers with the files that stand for it."""

from __future__ import annotations

from millefeuille.oci.digest import Digest
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerTar:
    """An uncompressed layer on disk. `size` is what was recorded of it, in bytes."""

    diff_id: Digest
    path: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The layers of a chain ID, lowest first, and the path of their merged metadata image."""

    id: Digest
    metadata: str
    layers: tuple[LayerTar, ...]


def chain_uuid(id: Digest) -> bytes:
    """The 16 bytes by which a chain's file system is told from others."""
    return bytes.fromhex(id.hex)[:16]
