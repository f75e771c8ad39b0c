"""Comparison: what differs between two images, as a tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from millefeuille.analysis.compare import Difference
from millefeuille.analysis.tree import ADDED, METADATA, MODIFIED, NO_ENTRY, REMOVED, TYPE, Node
from millefeuille.layers.entry import DIRECTORY, FILE

_CHANGES: Mapping[str, str] = {
    "added": ADDED, "removed": REMOVED, "content": MODIFIED, "metadata": METADATA, "type": TYPE,
}  # fmt: skip


class Comparison:
    """The tree of what an image has otherwise than the one called `name`.

    A file's size is by how much it grew or shrank, in bytes without a sign; of one that is only in one of the
    images its own.
    """

    def __init__(self, name: str, found: Difference) -> None:
        self.name = name
        self._nodes: dict[bytes, dict[bytes, Node]] = {}
        above = {change.path.rpartition(b"/")[0] for change in found.files}
        for change in found.files:
            kind = DIRECTORY if change.path in above else change.kind
            size = abs(change.after - change.before) if kind == FILE else 0
            self._add(Node(change.path, kind, size, _CHANGES[change.change], 0, NO_ENTRY))

    def children(self, path: bytes) -> Sequence[Node]:
        """What differs in a directory, sorted by name."""
        return sorted(self._nodes.get(path, {}).values())

    def paths(self) -> set[bytes]:
        """Every path that differs, and the directories above them."""
        return set().union(*self._nodes.values())

    def _add(self, node: Node) -> None:
        above = node.path.rpartition(b"/")[0]
        self._nodes.setdefault(above, {})[node.path] = node
        while above:
            beyond = above.rpartition(b"/")[0]
            if above in self._nodes.setdefault(beyond, {}):
                break
            self._nodes[beyond][above] = Node(above, DIRECTORY, 0, MODIFIED, 0, NO_ENTRY)
            above = beyond
