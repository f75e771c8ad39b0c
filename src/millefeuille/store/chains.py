"""Chains in the database: which layers a chain ID stands for, and its metadata image."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from millefeuille.errors import NotFound
from millefeuille.oci.digest import Digest
from millefeuille.store.images import LayerRecord, layer
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass


class NoSuchChain(NotFound):
    """No image has this stack of layers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """A chain's metadata image: size in bytes, blake3 in hex."""

    size: int
    hash: str


# Makes what a chain's first mount needs from its layers, lowest first: the chain ID and the metadata image.
# None where chains are mounted without one.
Prepare = Callable[[Store, Sequence[LayerRecord]], tuple[Digest, Metadata] | None]


def layers_of_chain(tx: Transaction, chain: Digest) -> tuple[LayerRecord, ...]:
    """The layers of a chain, lowest first. Raises NoSuchChain."""
    found: list[LayerRecord] = []
    key: str | None = str(chain)
    while key is not None:
        row = tx.execute("SELECT parent, diff_id FROM chains WHERE chain = ?", (key,)).fetchone()
        record = layer(tx, Digest.parse(row[1])) if row else None
        if record is None:
            raise NoSuchChain(f"chain {chain}: not in the store")
        found.append(record)
        key = row[0]
    return tuple(reversed(found))


def metadata(tx: Transaction, chain: Digest) -> Metadata | None:
    """What is recorded of a chain's metadata image; None when none was made."""
    row = tx.execute(
        "SELECT metadata_size, metadata_hash FROM chains WHERE chain = ?", (str(chain),)
    ).fetchone()
    return Metadata(size=row[0], hash=row[1]) if row and row[1] else None


def set_metadata(tx: Transaction, chain: Digest, made: Metadata | None) -> None:
    """Record a metadata image that is on the disk, or that there is none."""
    tx.execute(
        "UPDATE chains SET metadata_size = ?, metadata_hash = ? WHERE chain = ?",
        (made.size if made else None, made.hash if made else None, str(chain)),
    )
