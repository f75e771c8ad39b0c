"""Copies: live files whose content is there more than once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain

from millefeuille.analysis.layer import Layer
from millefeuille.annotations import NamedTuple
from millefeuille.plainjson import quoted


class Copies(NamedTuple):
    """Live files with equal content: their size each, and their places (layer, path) in order."""

    size: int
    places: tuple[tuple[int, bytes], ...]

    @property
    def extra(self) -> int:
        """Bytes that one copy instead of all would save."""
        return self.size * (len(self.places) - 1)


def repeated_contents(layers: Sequence[Layer]) -> list[Sequence[int]]:
    """Of each layer, the entries whose content may be in the stack more than once."""
    counts = Counter(chain.from_iterable(layer.index.content_marks() for layer in layers))
    found = {mark for mark, count in counts.items() if count > 1}
    return [layer.index.with_marks(found) for layer in layers]


def copies(
    layers: Sequence[Layer], repeats: Sequence[Sequence[int]], dead: Mapping[int, Collection[int]]
) -> tuple[Copies, ...]:
    """Those of `repeats` (see above) that are alive and have an equal, the largest gain first.

    `dead` has the entries of each layer that the image does not show.
    """
    found: dict[bytes | None, tuple[int, list[tuple[int, bytes]]]] = {}
    for number, (layer, entries) in enumerate(zip(layers, repeats, strict=True)):
        gone, paths, sizes = dead.get(number, ()), layer.paths, layer.sizes
        for entry in entries:
            if entry not in gone:
                content = layer.index.content(entry)
                if content not in found:
                    found[content] = (sizes[entry], [])
                found[content][1].append((number, paths[entry]))
    rows = [(size * (1 - len(at)), tuple(at), size) for size, at in found.values() if len(at) > 1]
    return tuple(Copies(size, places) for _, places, size in sorted(rows))


def written(found: Iterable[Copies]) -> bytes:
    """Copies as the JSON list of an analysis, for which no value is made of each place."""
    return f"[{','.join(map(_one, found))}]".encode()


def _one(one: Copies) -> str:
    places = ",".join(
        [
            f'{{"layer":{layer},"path":{quoted(path.decode("utf-8", "surrogateescape"))}}}'
            for layer, path in one.places
        ]
    )
    return f'{{"sizeBytes":{one.size},"extraBytes":{one.extra},"places":[{places}]}}'
