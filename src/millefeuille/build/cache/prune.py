"""Prune: steps forgotten, and what was kept for them alone removed.

A layer that an image, a container or another step needs stays, and its bytes are not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from millefeuille.build.cache.leaving import Usage, leaving, usage
from millefeuille.build.cache.stacks import Stacks
from millefeuille.oci.digest import Digest
from millefeuille.store import leases, removal
from millefeuille.store.steps import StepRecord
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A layer that steps stand on, such as a removed image's, and its bytes; `step` is the one used last."""

    layer: Digest
    size: int
    step: StepRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """All that the cache holds: steps, the one used longest ago first, and what else they need."""

    steps: Sequence[Usage] = ()
    bases: Sequence[Base] = ()


def held(tx: Transaction) -> Held:
    """All steps, and the layers below them that nothing else needs, each once."""
    stacks = Stacks(tx)
    return Held(steps=usage(stacks), bases=_bases(stacks))


def _bases(stacks: Stacks) -> list[Base]:
    return [
        Base(layer=Digest.parse(layer), size=size, step=step)
        for layer, size, step in stacks.bases()
    ]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What may stay: steps used after `since_ns`, and as many of the others as fit into `room` bytes.

    `room` None is no room at all.
    """

    since_ns: int | None = None
    room: int | None = None


def prune(store: Store, limits: Limits, accepts: Callable[[Usage], bool] = lambda one: True) -> Held:
    """Forget the steps that `accepts` allows and `limits` does not keep; what went, with the bytes that are
    free now.

    Raises DiskFull, ReadOnlyStore.
    """
    with store.writing(emergency=True) as tx:
        leases.sweep(tx)  # what claimed something is dead
        stacks = Stacks(tx)
        bases = _bases(stacks)
        going = _going(stacks, limits, accepts)
        removal.remove_steps(tx, [one.step.key for one in going])
    freed = dict(stacks.gone)
    # A layer that stays for another step is counted when that goes.
    steps = [replace(one, size=freed.pop(str(one.step.layer.diff_id), 0)) for one in reversed(going)]
    return Held(steps=steps[::-1], bases=[one for one in bases if str(one.layer) in freed])


def _going(stacks: Stacks, limits: Limits, accepts: Callable[[Usage], bool]) -> list[Usage]:
    asked = [
        one for one in usage(stacks)
        if (limits.since_ns is None or one.step.used_ns < limits.since_ns) and accepts(one)
    ]  # fmt: skip
    if limits.room is not None:
        return leaving(stacks, asked, sum(stacks.layers().values()) - limits.room)
    for one in asked:
        stacks.forget(one.step)
    return asked
