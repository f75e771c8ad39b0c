"""Common bases: images that hold the same content in different layers, and what one base would save.

Images with the same layers, as far as any other image has something of them too, are one party: they gain
nothing from each other, and move to a base together. Parties are joined, those with most in common first, as
long as nothing is lost by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations

from millefeuille.analysis.batches import Batch
from millefeuille.annotations import Final
from millefeuille.oci.digest import Digest
from millefeuille.values import dataclass

ALIKE: Final = 0.5  # of the smaller image's bytes, for images that could stand on one base
COMMON: Final = 100  # layers; what more of them have says nothing about any two


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonBase:
    """Images that do not share what is the same in all of them: its size, and what one base would save."""

    images: tuple[str, ...]
    size: int
    saved: int


@dataclass(frozen=True, slots=True)
class _Part:
    """What a group's images have of a batch: in which layers each has it, and how many copies in these."""

    places: Mapping[frozenset[Digest], int]

    @property
    def least(self) -> int:
        """The copies that every image has."""
        return min(self.places.values())


class _Group:
    """Images, their layers, and what all of them have; `smallest` is the size of the smallest in bytes."""

    def __init__(
        self, images: tuple[str, ...], smallest: int, layers: frozenset[Digest], parts: Mapping[int, _Part],
        batches: Sequence[Batch],
    ) -> None:  # fmt: skip
        self.images, self.smallest, self.layers, self.parts = images, smallest, layers, parts
        self._batches = batches
        self.saved = sum(batches[batch].size * self._needless(batch, part) for batch, part in parts.items())
        self.size = sum(batches[number].size * self._held(number, part) for number, part in parts.items())

    def joined(self, other: _Group) -> _Group:
        """Both as one."""
        parts = {
            number: _Part({**part.places, **other.parts[number].places})
            for number, part in self.parts.items() if number in other.parts
        }  # fmt: skip
        return _Group(
            self.images + other.images, min(self.smallest, other.smallest), self.layers | other.layers, parts,
            self._batches,
        )  # fmt: skip

    def _held(self, number: int, part: _Part) -> int:
        """The copies in a base: those in layers that all have already, else as many as every image has."""
        copies = self._batches[number].copies
        shared = frozenset[Digest].intersection(*part.places)
        return sum(copies[layer] for layer in shared) or part.least

    def _needless(self, number: int, part: _Part) -> int:
        """The copies that go with the base. What images have beyond those in it lies at other paths, for all
        that is known: it stays, once for each set of layers that has it.
        """
        copies = self._batches[number].copies
        present = sum(count for layer, count in copies.items() if layer in self.layers)
        held = self._held(number, part)
        beyond = sum(part.places.values()) - held * len(part.places)
        return max(0, present - held - beyond)


def common_bases(
    stacks: Mapping[str, Sequence[Digest]], sizes: Mapping[Digest, int], batches: Sequence[Batch]
) -> Iterator[CommonBase]:
    """Groups of the images with these layers, those that would save most first; `sizes` are the layers'."""
    parties = _parties(stacks, sizes, batches)
    found = dict(enumerate(parties))  # the group that each party is in
    members = {number: [number] for number in found}
    for a, b in _alike(parties, batches):
        one, other = found[a], found[b]
        if one is not other:
            # A small image that is like some of them must not leave the others with nothing in common.
            both = one.joined(other)
            if both.saved >= one.saved + other.saved:
                together = members[a] + members[b]
                found.update(dict.fromkeys(together, both))
                members.update(dict.fromkeys(together, together))
    groups = {id(group): group for group in found.values() if group.saved}.values()
    bases = [
        CommonBase(images=tuple(sorted(group.images)), size=group.size, saved=group.saved) for group in groups
    ]
    yield from sorted(bases, key=lambda one: (-one.saved, one.images))


def _parties(
    stacks: Mapping[str, Sequence[Digest]], sizes: Mapping[Digest, int], batches: Sequence[Batch]
) -> list[_Group]:
    held: dict[Digest, list[int]] = {}  # the batches of each layer
    for number, batch in enumerate(batches):
        for layer in batch.copies:
            held.setdefault(layer, []).append(number)
    used: dict[Digest, int] = {}
    for stack in stacks.values():
        for layer in set(stack):
            used[layer] = used.get(layer, 0) + 1
    common = {
        layer for layer, count in used.items()
        if count > 1 or any(_tells(batches[number]) for number in held.get(layer, ()))
    }  # fmt: skip
    images: dict[frozenset[Digest], list[str]] = {}
    for name, stack in stacks.items():
        images.setdefault(frozenset(common.intersection(stack)), []).append(name)
    return [
        _Group(
            tuple(names), min(sum(sizes[layer] for layer in set(stacks[name])) for name in names), layers,
            _parts(layers, held, batches), batches,
        )
        for layers, names in images.items() if layers
    ]  # fmt: skip


def _parts(
    layers: frozenset[Digest], held: Mapping[Digest, Iterable[int]], batches: Sequence[Batch]
) -> dict[int, _Part]:
    parts: dict[int, _Part] = {}
    for number in {number for layer in layers for number in held.get(layer, ())}:
        copies = batches[number].copies
        place = frozenset(layer for layer in layers if layer in copies)
        count = sum(copies[layer] for layer in place)
        parts[number] = _Part({place: count})
    return parts


def _tells(batch: Batch) -> bool:
    return 1 < len(batch.copies) <= COMMON


def _alike(parties: Sequence[_Group], batches: Sequence[Batch]) -> list[tuple[int, int]]:
    """Pairs of parties that have much in common, in different layers some of it; those with most first."""
    found = []
    for a, b in _candidates(parties, batches):
        one, other = parties[a], parties[b]
        own = sum(
            batches[batch].size * min(part.least, other.parts[batch].least)
            for batch, part in one.parts.items() if batch in other.parts
        )  # fmt: skip
        if own >= ALIKE * min(one.smallest, other.smallest):
            found.append((-own, a, b))
    return [(a, b) for _, a, b in sorted(found)]


def _candidates(parties: Sequence[_Group], batches: Sequence[Batch]) -> set[tuple[int, int]]:
    """The pairs that have a batch in different layers. Of the parties that have it in the same layers the
    smallest stands for all, or thousands of images on two bases would be millions of pairs.
    """
    holders: dict[int, dict[frozenset[frozenset[Digest]], list[int]]] = {}
    for number, party in enumerate(parties):
        for batch, part in party.parts.items():
            if _tells(batches[batch]):
                holders.setdefault(batch, {}).setdefault(frozenset(part.places), []).append(number)
    found: set[tuple[int, int]] = set()
    for places in holders.values():
        for one, other in permutations(places.values(), 2):
            first = min(one, key=lambda number: parties[number].smallest)
            found.update((min(first, number), max(first, number)) for number in other)
    return found
