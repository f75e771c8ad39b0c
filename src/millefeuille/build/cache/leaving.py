"""Leaving: which steps go where some have to.

A step that another stands on goes after that one: before, it would free nothing, and be missed by builds.

    a ─ b ─ c     c goes first, however long ago a was used; then whichever of b and e was used longest ago
     ╰─ d ─ e
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

from millefeuille.build.cache.stacks import Stacks
from millefeuille.oci.digest import Digest
from millefeuille.store.steps import StepRecord
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """A step and its layer's bytes; `shared` when an image, a container or a lease needs the layer too, and
    all below it.
    """

    step: StepRecord
    size: int
    shared: bool


def usage(stacks: Stacks) -> list[Usage]:
    """All steps, the one used longest ago first. A layer of several steps counts once, for the last one, and
    for none when it stays without these too.
    """
    found, seen = [], set[Digest]()
    for step in reversed(stacks.steps):
        layer, shared = step.layer, stacks.is_shared(step)
        counts = layer.diff_id not in seen and (shared or not stacks.is_needed(str(layer.diff_id)))
        size = layer.tar_size + layer.index_size if counts else 0
        seen.add(layer.diff_id)
        found.append(Usage(step=step, size=size, shared=shared))
    return found[::-1]


def leaving(stacks: Stacks, asked: Sequence[Usage], excess: int, before_ns: int = 0) -> list[Usage]:
    """Forget steps until so many bytes are free, and those that were last used before `before_ns`; which.

    Of those `asked`, the one used longest ago first, nothing may stand on those that go.
    """
    waiting: dict[str, list[int]] = {}  # places in `asked`, by the chain that the steps end with
    for place, one in enumerate(asked):
        waiting.setdefault(str(one.step.chain), []).append(place)
    ready = sorted(place for chain in [*waiting] if stacks.is_top(chain) for place in waiting.pop(chain))
    going = []
    while ready:
        one = asked[heapq.heappop(ready)]
        if excess <= 0 and one.step.used_ns >= before_ns:
            break
        going.append(one)
        excess -= stacks.forget(one.step)
        for place in waiting.pop(stacks.bared(one.step) or "", ()):
            heapq.heappush(ready, place)
    return going
