"""The ledger by brute force: a file system of small objects, changed one entry at a time, and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from millefeuille.analysis.layer import Layer
from millefeuille.layers.entry import DIRECTORY, FILE, HARDLINK, OPAQUE, WHITEOUT


@dataclass(eq=False)
class Inode:
    """A file, directory or link of the model; `born` is its layer and entry."""

    kind: int
    born: tuple[int, int]
    names: int = 0
    children: dict[bytes, Inode] = field(default_factory=dict)


@dataclass
class Model:
    """What is there, and who died when: (layer, entry) to (killing layer, was it a mark that did it)."""

    root: Inode = field(default_factory=lambda: Inode(DIRECTORY, (-1, -1), 1))
    deaths: dict[tuple[int, int], tuple[int, str]] = field(default_factory=dict)

    def find(self, path: bytes) -> Inode | None:
        node: Inode | None = self.root
        for part in path.split(b"/") if path else ():
            node = node.children.get(part) if node is not None else None
        return node

    def drop(self, parent: Inode, name: bytes, layer: int, how: str) -> None:
        node = parent.children.pop(name)
        for child in list(node.children):
            self.drop(node, child, layer, how)
        node.names -= 1
        if not node.names and node.kind == FILE:
            self.deaths[node.born] = (layer, how)

    def parent(self, path: bytes, layer: int) -> Inode:
        node = self.root
        for part in path.split(b"/")[:-1]:
            below = node.children.get(part)
            if below is None or below.kind != DIRECTORY:
                if below is not None:
                    self.drop(node, part, layer, "entry")
                below = node.children[part] = Inode(DIRECTORY, (-1, -1), 1)
            node = below
        return node

    def put(self, path: bytes, node: Inode, layer: int) -> None:
        parent, leaf = self.parent(path, layer), path.rpartition(b"/")[2]
        old = parent.children.get(leaf)
        if old is node:
            return
        if old is not None and old.kind == DIRECTORY and node.kind == DIRECTORY:
            return
        if old is not None:
            self.drop(parent, leaf, layer, "entry")
        node.names += 1
        parent.children[leaf] = node


def replay(layers: Sequence[Layer]) -> Model:
    """Unpack the layers into a model."""
    model = Model()
    for number, layer in enumerate(layers):
        entries = [layer.index.entry(entry) for entry in range(len(layer.index))]
        for entry in entries:
            above, _, leaf = entry.path.rpartition(b"/")
            if entry.kind == WHITEOUT:
                node = model.find(above)
                if node is not None and leaf in node.children:
                    model.drop(node, leaf, number, "deleted")
            elif entry.kind == OPAQUE:
                node = model.find(entry.path)
                for name in list(node.children) if node is not None else ():
                    assert node is not None
                    model.drop(node, name, number, "opaque directory")
        for place, entry in enumerate(entries):
            if entry.kind in (WHITEOUT, OPAQUE) or not entry.path:
                continue
            if entry.kind == HARDLINK:
                target = model.find(entry.link)
                assert target is not None
                model.put(entry.path, target, number)
            else:
                model.put(entry.path, Inode(entry.kind, (number, place)), number)
    return model
