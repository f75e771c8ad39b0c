"""Layers by name: diff IDs, and the chain IDs that say on what a layer stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from millefeuille.oci.digest import Digest
from millefeuille.sha256 import sha256


def chain_ids(diff_ids: Iterable[Digest]) -> Iterator[Digest]:
    """The chain ID after each layer, lowest first.

    Source: OCI image-spec, config.md, "Layer ChainID".
    """
    chain: Digest | None = None
    for diff_id in diff_ids:
        chain = diff_id if chain is None else _joined(chain, diff_id)
        yield chain


def chain_id(diff_ids: Iterable[Digest]) -> Digest | None:
    """The chain ID of a whole stack; None for no layers."""
    return next(iter([*chain_ids(diff_ids)][-1:]), None)


def _joined(parent: Digest, diff_id: Digest) -> Digest:
    return Digest("sha256", sha256(f"{parent} {diff_id}".encode()).hexdigest())
