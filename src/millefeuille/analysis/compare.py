"""Two images held against each other: files, config and history."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property

from millefeuille.analysis.image import Image
from millefeuille.analysis.layer import Layer
from millefeuille.analysis.stacking import ATTRIBUTES, CONTENT, KIND, SAME, Stacking, compared, named
from millefeuille.annotations import Any
from millefeuille.layers.entry import DIRECTORY, FILE
from millefeuille.oci.config import History
from millefeuille.values import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One path that differs: `change` is added, removed, content, metadata or type; sizes in bytes; `kind` is
    that of the entry, of the newer one where there are two.
    """

    path: bytes
    change: str
    before: int = 0
    after: int = 0
    kind: int = FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One member of the configs that differs, by its dotted name; None where it is not there."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """All that two images do not have in common; `shared` lowest layers they do."""

    shared: int
    files: tuple[FileChange, ...]
    config: tuple[FieldChange, ...]
    removed_steps: tuple[History, ...]
    added_steps: tuple[History, ...]


class Shown:
    """What an image shows: its paths, and the layer and entry behind each."""

    def __init__(self, layers: tuple[Layer, ...]) -> None:
        """Lay the layers over each other. Raises BrokenLink."""
        self.layers = layers
        self._stacking = Stacking()
        for layer in layers:
            self._stacking.add(layer)
        self.paths = self._stacking.live
        # The directories that no entry names; the root is there without any.
        self.unnamed = (self._stacking.unnamed | {b""}) - self.paths.keys()

    @cached_property
    def _names(self) -> dict[int, set[bytes]]:
        """The paths of each file that has several."""
        several = {number for number, names in Counter(self.paths.values()).items() if names > 1}
        found: dict[int, set[bytes]] = {number: set() for number in several}
        for path, number in self.paths.items():
            if number in several:
                found[number].add(path)
        return found

    def names(self, path: bytes) -> set[bytes]:
        """All paths that the file under a path has, itself among them."""
        return self._names.get(self.paths[path]) or {path}

    def place(self, path: bytes) -> tuple[Layer, int]:
        """The layer and the number in it of what a path shows."""
        layer, entry = self._stacking.layer_of(self.paths[path])
        return self.layers[layer], entry

    def kind(self, path: bytes) -> int:
        """The kind of the entry behind a path."""
        layer, entry = self.place(path)
        return layer.kinds[entry]

    def size(self, path: bytes) -> int:
        """The size of a file, 0 of anything else."""
        layer, entry = self.place(path)
        return layer.sizes[entry] if layer.kinds[entry] == FILE else 0


def difference(old: Image, new: Image) -> Difference:
    """What differs between two images. Raises BrokenLink."""
    shared = 0
    for before, after in zip(old.parts, new.parts, strict=False):
        if before.diff_id != after.diff_id:
            break
        shared += 1
    same = 0
    for one, other in zip(old.config.history, new.config.history, strict=False):
        if replace(one, created="") != replace(other, created=""):
            break
        same += 1
    return Difference(
        shared=shared,
        files=tuple(_files(Shown(old.layers), Shown(new.layers), shared)),
        config=tuple(_fields("", _flat(old), _flat(new))),
        removed_steps=old.config.history[same:],
        added_steps=new.config.history[same:],
    )


def _files(old: Shown, new: Shown, shared: int) -> Iterator[FileChange]:
    # The entries of shared layers have the same numbers in both images.
    known = sum(len(layer.paths) for layer in old.layers[:shared])
    for path in sorted(old.paths.keys() | new.paths.keys() | (old.unnamed ^ new.unnamed)):
        before, after = old.paths.get(path), new.paths.get(path)
        if before == after and before is not None and before < known:
            continue
        if before is None and after is None:
            gone = path in old.unnamed
            yield FileChange(path=path, change="removed" if gone else "added", kind=DIRECTORY)
        elif (before is None and path in old.unnamed) or (after is None and path in new.unnamed):
            shown = old if after is None else new
            layer, entry = shown.place(path)
            change = named(layer.index, entry)
            sizes = {"before" if after is None else "after": shown.size(path)}
            if change != SAME:
                kind = DIRECTORY if after is None else layer.kinds[entry]
                yield FileChange(path=path, change=_WORDS[change], kind=kind, **sizes)
        elif before is None:
            yield FileChange(path=path, change="added", after=new.size(path), kind=new.kind(path))
        elif after is None:
            yield FileChange(path=path, change="removed", before=old.size(path), kind=old.kind(path))
        else:
            change = compared(*_both(old, new, path))
            if change == SAME and _is_linked_otherwise(old, new, path):
                change = ATTRIBUTES
            if change != SAME:
                yield FileChange(
                    path=path, change=_WORDS[change], before=old.size(path), after=new.size(path),
                    kind=new.kind(path),
                )  # fmt: skip


def _is_linked_otherwise(old: Shown, new: Shown, path: bytes) -> bool:
    """Whether a file is one with other files than before, of those that both images have."""
    apart = old.names(path) ^ new.names(path)
    return any(name in old.paths and name in new.paths for name in apart)


def _both(old: Shown, new: Shown, path: bytes) -> tuple[Any, int, Any, int]:
    lower, a = old.place(path)
    upper, b = new.place(path)
    return lower.index, a, upper.index, b


def _flat(image: Image) -> Mapping[str, Any]:
    return {key: value for key, value in image.config.fields.items() if key not in _NOT_CONFIG}


def _fields(prefix: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[FieldChange]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _fields(f"{prefix}{name}.", before, after)
        else:
            yield FieldChange(name=prefix + name, before=before, after=after)


def difference_document(found: Difference) -> dict[str, Any]:
    """The difference as JSON values; members as in docs/analyze.md."""
    return {
        "schemaVersion": "1.0",
        "sharedLayers": found.shared,
        "files": [
            {
                "path": os.fsdecode(each.path), "change": each.change, "sizeBefore": each.before,
                "sizeAfter": each.after,
            }
            for each in found.files
        ],
        "config": [
            {"name": each.name, "before": each.before, "after": each.after} for each in found.config
        ],
        "history": {
            "removed": [step.created_by for step in found.removed_steps],
            "added": [step.created_by for step in found.added_steps],
        },
    }  # fmt: skip


_WORDS = {CONTENT: "content", ATTRIBUTES: "metadata", KIND: "type"}
_NOT_CONFIG = frozenset({"rootfs", "history", "created", "container", "container_config"})
