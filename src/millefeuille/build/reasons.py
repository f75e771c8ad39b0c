"""Reasons: what `--explain` says of each step: that it was found, or which input is not what it was.

What a step is compared with is the same step in the last build of the same thing.
"""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.build import explain
from millefeuille.build.journal import Account, Entry, Journal
from millefeuille.build.report import Explained, Reporter, Vertex
from millefeuille.errors import MilleError
from millefeuille.layers.index import LayerIndex
from millefeuille.oci.digest import Digest
from millefeuille.oci.moment import rfc3339
from millefeuille.store.disk import Disk
from millefeuille.store.images import LayerRecord
from millefeuille.store.steps import StepRecord


class Reasons:
    """Tells a Reporter the reason of each step of one build."""

    def __init__(self, disk: Disk, reporter: Reporter, journal: Journal) -> None:
        self._disk = disk
        self._reporter = reporter
        self._journal = journal

    def found(self, vertex: Vertex, step: StepRecord) -> None:
        """Say that a step was in the cache."""
        text = f"in the cache: nothing changed since {rfc3339(step.made_ns)}"
        self._reporter.report(Explained(vertex=vertex, text=text))

    def made(self, vertex: Vertex, inputs: Mapping[str, Any], layer: LayerRecord, *, fresh: bool) -> None:
        """Say why a step had to be made."""
        self._compared(vertex, inputs, layer, fresh=fresh)

    def wanted(self, vertex: Vertex, inputs: Mapping[str, Any], *, fresh: bool) -> None:
        """Say why a step would have to be made."""
        self._compared(vertex, inputs, None, fresh=fresh)

    def _compared(
        self, vertex: Vertex, inputs: Mapping[str, Any], layer: LayerRecord | None, *, fresh: bool
    ) -> None:
        if fresh:
            self._reporter.report(Explained(vertex=vertex, text="not looked for in the cache: --no-cache"))
            return
        last = self._journal.before
        entry = last.like(vertex) if last is not None else None
        if last is None or entry is None or not entry.inputs:
            text = "not in the cache: no earlier build had this step"
            self._reporter.report(Explained(vertex=vertex, text=text))
            return
        found = explain.changes(entry.inputs, inputs)
        if layer is not None and any(change["input"] == "content" for change in found):
            found = [*self._files(entry, layer), *found]
        text = explain.sentence(found, last, self._below(vertex, last))
        self._reporter.report(Explained(vertex=vertex, text=text, changes=tuple(found)))

    def _files(self, entry: Entry, layer: LayerRecord) -> list[explain.Change]:
        """What differs between the layer that the step made last time and the one that it made now."""
        try:
            paths = [self._disk.layer_index(one) for one in (Digest.parse(entry.layer), layer.diff_id)]
            before, now = map(LayerIndex.open, paths)
        except (MilleError, OSError):  # the old layer was pruned
            return []
        return explain.files(before, now)

    def _below(self, vertex: Vertex, last: Account) -> str:
        """What is not as it was below a step."""
        stage = [one for one in self._journal.entries if one.stage == vertex.stage]
        steps = [one for one in stage if one.place < vertex.place]
        if steps:
            return f"the step before it, {steps[-1].name}, gave another layer"
        for name, digest in self._journal.bases.items():
            before = last.bases.get(name)
            if before is not None and before != digest:
                return f"base image {name} changed: {before} → {digest}"
        others = sorted({*self._journal.bases} - {*last.bases})
        return f"base image changed: now {', '.join(others)}" if others else "the stage below it changed"
