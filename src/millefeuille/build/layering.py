"""Layering: a step that makes a layer, taken from the cache or done; and written down either way.

    inputs ─► found: its layer, nothing done
          └─► not found: hold what the stage stands on ─► make ─► keep
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

from millefeuille.annotations import Any
from millefeuille.build.cache.key import canonical
from millefeuille.build.cache.steps import StepCache
from millefeuille.build.journal import Entry, Journal
from millefeuille.build.report import Began, Ended, Outcome, Reporter, Vertex
from millefeuille.build.running.failure import StepStopped
from millefeuille.build.state import State
from millefeuille.errors import Failed, MilleError
from millefeuille.later import Later
from millefeuille.layers.tarstream import Member
from millefeuille.store.images import LayerRecord
from millefeuille.store.steps import StepRecord
from millefeuille.store.store import Store
from millefeuille.values import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.build.reasons import Reasons
    from millefeuille.layers.ingest import LayerContent
    from millefeuille.store import making
else:  # what makes layers is loaded with the first one to make
    making = Later("millefeuille.store.making")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A step about to be taken: its line of progress, its words in the history, what goes into it.

    `fresh` means that only what this very build made may be used again.
    """

    vertex: Vertex
    created_by: str
    inputs: Mapping[str, Any]
    fresh: bool = False


Make = Callable[[], LayerRecord]


class Unmade(Failed):
    """A step of a rehearsal is not in the cache, so what stands on it is not known."""


@dataclass(frozen=True, slots=True)
class Layering:
    """The store, the cache, whoever watches and the journal, for the steps of one build.

    A `rehearsal` looks into the cache, and makes nothing.
    """

    store: Store
    cache: StepCache
    reporter: Reporter
    journal: Journal = field(default_factory=Journal)
    reasons: Reasons | None = None
    rehearsal: bool = False

    def early(self, state: State, task: Task) -> State | None:
        """The state with the layer of the task, when its inputs are in the cache; nothing is made."""
        found = self.cache.find(canonical(task.inputs), own=task.fresh, below=state.layers)
        return self._found(state, task, found) if found is not None else None

    def step(self, state: State, task: Task, make: Make, *, also: Mapping[str, Any] | None = None) -> State:
        """The state with the layer of the task, which from now on is found for the inputs `also` too.

        Raises what `make` raises, DiskFull, Vanished, Unmade.
        """
        text = canonical(task.inputs)
        with self.cache.alone(text):
            found = self.cache.find(text, own=task.fresh, below=state.layers)
            if found is None:
                return self._made(state, task, text, make, also)
        if also is not None:
            layers = (*state.layers, found.layer)
            self.cache.keep(canonical(also), layers, took_ns=found.took_ns, made_ns=found.made_ns)
        return self._found(state, task, found)

    def stored(self, members: Iterator[Member]) -> LayerRecord:
        """The layer with these members, in the store and claimed."""

        def claim(content: LayerContent) -> None:
            self.cache.claim(content.diff_id)

        record, _ = making.store_layer(self.store, members, claim)
        return record

    def _found(self, state: State, task: Task, found: StepRecord) -> State:
        size = found.layer.tar_size
        self.reporter.report(Began(vertex=task.vertex))
        if self.reasons is not None:
            self.reasons.found(task.vertex, found)
        self._note(task.vertex, "cached", found.took_ns, found.layer, task.inputs)
        self.reporter.report(Ended(vertex=task.vertex, outcome="cached", size=size))
        return state.stacked(found.layer, task.created_by, found.made_ns)

    def _made(
        self, state: State, task: Task, text: str, make: Make, also: Mapping[str, Any] | None
    ) -> State:
        if self.rehearsal:
            if self.reasons is not None:
                self.reasons.wanted(task.vertex, task.inputs, fresh=task.fresh)
            raise Unmade("a rehearsal makes no layers")
        self.reporter.report(Began(vertex=task.vertex))
        began = time.monotonic_ns()
        self.cache.hold()
        layer = make()
        took = time.monotonic_ns() - began
        layers = (*state.layers, layer)
        kept = self.cache.keep(text, layers, took_ns=took)
        if also is not None:
            self.cache.keep(canonical(also), layers, took_ns=took, made_ns=kept.made_ns)
        if self.reasons is not None:
            self.reasons.made(task.vertex, task.inputs, layer, fresh=task.fresh)
        self._note(task.vertex, "done", took, layer, task.inputs)
        self.reporter.report(
            Ended(vertex=task.vertex, outcome="done", took=took / 1e9, size=layer.tar_size)
        )  # fmt: skip
        return state.stacked(layer, task.created_by, kept.made_ns)

    def failed(self, vertex: Vertex, took_ns: int, error: MilleError) -> None:
        """Tell of a step that failed, or was stopped because another did."""
        outcome: Outcome = "cancelled" if isinstance(error, StepStopped) else "failed"
        self._note(vertex, outcome, took_ns, None, {})
        self.reporter.report(Ended(vertex=vertex, outcome=outcome, took=took_ns / 1e9, error=str(error)))

    def _note(
        self, vertex: Vertex, outcome: Outcome, took_ns: int, layer: LayerRecord | None,
        inputs: Mapping[str, Any],
    ) -> None:  # fmt: skip
        self.journal.add(
            Entry(
                stage=vertex.stage, place=vertex.place, text=vertex.text, line=vertex.line, outcome=outcome,
                took=took_ns / 1e9, size=layer.tar_size if layer else 0,
                layer=str(layer.diff_id) if layer else "", inputs=inputs,
            )
        )  # fmt: skip
