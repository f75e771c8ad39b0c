"""Stacks: what steps stand on, layer by layer, and what of it goes when which steps go.

    an image goes ─► its layers stay below steps ─► the last step above goes ─► so do they

Layers that an image, a container or a lease needs are not the cache's: they count for nothing here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from millefeuille.store import steps
from millefeuille.store.steps import StepRecord
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass

_NEEDED = """
WITH RECURSIVE stack(chain) AS (
    SELECT chain FROM containers UNION SELECT item FROM lease_items
    UNION SELECT parent FROM chains JOIN stack USING (chain)
) SELECT diff_id FROM manifest_layers UNION SELECT diff_id FROM chains JOIN stack USING (chain)
UNION SELECT item FROM lease_items
"""
_CHAINS = """
WITH RECURSIVE stack(chain) AS (
    SELECT chain FROM build_steps UNION SELECT parent FROM chains JOIN stack USING (chain)
) SELECT chain, parent, diff_id, tar_size + index_size FROM chains JOIN stack USING (chain)
JOIN layers USING (diff_id) ORDER BY depth
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chain:
    parent: str | None
    diff_id: str
    size: int


class Stacks:
    """All steps as they are now, the one used longest ago first in `steps`; `gone` are the layers that
    `forget` found to go so far, with their bytes, by diff ID.
    """

    def __init__(self, tx: Transaction) -> None:
        self.steps = list(steps.steps(tx))
        self.gone: dict[str, int] = {}
        self._needed = {row[0] for row in tx.execute(_NEEDED)}
        self._chains: dict[str, _Chain] = {}
        self._holding = set[str]()  # chains with a layer that nothing but the cache needs
        self._ending = Counter(str(step.chain) for step in self.steps)  # steps that end with a chain
        self._above = self._ending.copy()  # steps and chains on top of a chain
        self._users = Counter[str]()  # chains by the layer they end with
        for chain, parent, diff_id, size in tx.execute(_CHAINS):
            self._chains[chain] = _Chain(parent=parent, diff_id=diff_id, size=size)
            self._users[diff_id] += 1
            if parent is not None:
                self._above[parent] += 1
            if diff_id not in self._needed or parent in self._holding:
                self._holding.add(chain)

    def is_needed(self, diff_id: str) -> bool:
        """Whether an image, a container or a lease needs the layer."""
        return diff_id in self._needed

    def is_shared(self, step: StepRecord) -> bool:
        """Whether all that the step stands on, and its layer, is needed without it too."""
        return str(step.chain) not in self._holding

    def layers(self) -> Mapping[str, int]:
        """The layers that nothing but the cache needs, with their bytes, by diff ID."""
        every = self._chains.values()
        return {one.diff_id: one.size for one in every if one.diff_id not in self._needed}

    def bases(self) -> Iterator[tuple[str, int, StepRecord]]:
        """Those of `layers` that are no step's own, each with its bytes and the step above used last."""
        waiting = dict(self.layers())
        for step in self.steps:
            waiting.pop(str(step.layer.diff_id), None)
        seen = set[str]()
        for step in reversed(self.steps):
            name: str | None = str(step.chain)
            while name is not None and name not in seen and (chain := self._chains.get(name)) is not None:
                seen.add(name)
                if chain.diff_id in waiting:
                    yield chain.diff_id, waiting.pop(chain.diff_id), step
                name = chain.parent

    def is_top(self, chain: str) -> bool:
        """Whether nothing stands on a chain but the steps that end with it."""
        return self._above[chain] == self._ending[chain]

    def bared(self, step: StepRecord) -> str | None:
        """The chain below this step that steps end with and nothing else stands on, now that this one is
        forgotten.
        """
        name: str | None = str(step.chain)
        while name is not None and not self._above[name]:
            name = chain.parent if (chain := self._chains.get(name)) is not None else None
        return name if name is not None and self.is_top(name) else None

    def forget(self, step: StepRecord) -> int:
        """The bytes of the layers that go with this step, when those go that were asked for before."""
        freed, name = 0, str(step.chain)
        self._ending[name] -= 1
        self._above[name] -= 1
        while not self._above[name] and (chain := self._chains.get(name)) is not None:
            self._users[chain.diff_id] -= 1
            if not self._users[chain.diff_id] and chain.diff_id not in self._needed:
                self.gone[chain.diff_id] = chain.size
                freed += chain.size
            if chain.parent is None:
                break
            name = chain.parent
            self._above[name] -= 1
        return freed
