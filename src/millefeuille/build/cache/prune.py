"""Prune: steps forgotten, and what was kept for them alone removed.

Steps go oldest use first. What stands on others is freed together with them when all of them go; a layer that
an image, a container or another step needs stays, and its bytes are not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from millefeuille.oci.digest import Digest
from millefeuille.store import removal, steps
from millefeuille.store.steps import StepRecord
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A step and its layer's bytes; `shared` when an image, a container or a lease needs the layer too."""

    step: StepRecord
    size: int
    shared: bool


def usage(tx: Transaction) -> list[Usage]:
    """All steps, the one used longest ago first. A layer of several steps counts once, for the last one."""
    needed = {row[0] for row in tx.execute(_NEEDED)}
    found, seen = [], set[Digest]()
    for step in reversed(list(steps.steps(tx))):
        size = 0 if step.layer.diff_id in seen else step.layer.tar_size + step.layer.index_size
        seen.add(step.layer.diff_id)
        found.append(Usage(step=step, size=size, shared=str(step.layer.diff_id) in needed))
    return found[::-1]


_NEEDED = """
WITH RECURSIVE stack(chain) AS (
    SELECT chain FROM containers UNION SELECT parent FROM chains JOIN stack USING (chain)
) SELECT diff_id FROM manifest_layers UNION SELECT diff_id FROM chains JOIN stack USING (chain)
UNION SELECT item FROM lease_items
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may stay: steps used after `since_ns`, and as many of the others as fit into `room` bytes.

    `room` None is no room at all.
    """

    since_ns: int | None = None
    room: int | None = None


def prune(
    store: Store, limits: Limits, accepts: Callable[[Usage], bool] = lambda one: True
) -> Sequence[Usage]:
    """Forget the steps that `accepts` allows and `limits` does not keep; those that went.

    Raises DiskFull, ReadOnlyStore.
    """
    with store.writing(emergency=True) as tx:
        found = usage(tx)
        going = list(_going(found, limits, accepts))
        removal.remove_steps(tx, [one.step.key for one in going])
    return going


def _going(found: Sequence[Usage], limits: Limits, accepts: Callable[[Usage], bool]) -> list[Usage]:
    excess = sum(one.size for one in found if not one.shared) - (limits.room or 0)
    going = []
    for one in found:
        if limits.since_ns is not None and one.step.used_ns >= limits.since_ns:
            continue
        if limits.room is not None and excess <= 0:
            break
        if accepts(one):
            going.append(one)
            excess -= 0 if one.shared else one.size
    return going
