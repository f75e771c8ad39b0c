"""The ledger: what every byte of an image's layers is good for, exactly.

    stored     what the regular files of all layers hold, in bytes
    live       what of it the image shows: content that at least one path of the merged tree leads to
    shadowed   stored - live: each with the layer that wrote it, the one that killed it, how, and where

A file with several names lives as long as one of them does. The lowest layers that another image ends with
are the base: what they wrote and lost is inherited, all other shadowed bytes are avoidable.

The layers are laid over each other by the rules of `layers.tree`, but in whole columns: a table leads from
each path to the number of the entry that it shows, and a layer that only adds files is one update of that
table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from millefeuille.analysis.copies import Copies, copies, repeated_contents, written
from millefeuille.analysis.layer import Layer
from millefeuille.analysis.packing import Packing
from millefeuille.analysis.stacking import CAUSES, Death, Stacking
from millefeuille.values import dataclass

__all__ = ["CAUSES", "LayerAccount", "Ledger", "Shadowed", "ledger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadowed:
    """A file that is in a layer and not in the image.

    `writer` and `killer` are numbers of layers, the lowest 0; `cause` is one of CAUSES; `by` is the path
    whose entry or mark in the killer did it; `size` is in bytes, `packed` about its share of the compressed
    layer.
    """

    path: bytes
    size: int
    packed: int
    writer: int
    killer: int
    cause: str
    by: bytes
    inherited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerAccount:
    """One layer's share. Sizes in bytes; `packed` is the whole blob, `packed_shadowed` what of it is waste.

    `killed` is what this layer took from those below it and from itself.
    """

    stored: int
    live: int
    packed: int
    packed_shadowed: int
    killed: int

    @property
    def shadowed(self) -> int:
        """What it holds in vain."""
        return self.stored - self.live


class Ledger:
    """The account of one image. All sizes in bytes.

    `changes` has for each layer what its entries change of what was there, by their numbers: see
    `stacking.CHANGES`; an entry that is not in it adds something. `removed` has the paths that each layer's
    whiteouts take away.
    """

    def __init__(
        self, layers: Sequence[Layer], stacking: Stacking, blob_sizes: Sequence[int], base: int
    ) -> None:
        self.changes = stacking.changes
        self.removed = stacking.removed
        deaths: Sequence[Death] = stacking.deaths
        self._layers = layers
        self._deaths = deaths
        self._packings = [Packing(layer.index, size) for layer, size in zip(layers, blob_sizes, strict=True)]
        self.base = base
        self.repeats: Sequence[Sequence[int]] | None = None  # `repeated_contents`, from whoever has it
        self.packed = sum(blob_sizes)
        self.stored = sum(layer.index.content_size for layer in layers)
        self.shadowed = sum(layers[death.writer].sizes[death.entry] for death in deaths)

    @property
    def dead(self) -> Iterator[tuple[int, int]]:
        """Layer and entry of every file that the image does not show."""
        return ((death.writer, death.entry) for death in self._deaths)

    @property
    def losses(self) -> Iterator[tuple[int, int, int]]:
        """Layer and entry of every file that the image does not show, and the layer that took it away."""
        return ((death.writer, death.entry, death.killer) for death in self._deaths)

    @property
    def deaths(self) -> Sequence[Death]:
        """How every file that the image does not show was lost, empty ones too."""
        return self._deaths

    @property
    def live(self) -> int:
        """What the image shows."""
        return self.stored - self.shadowed

    @property
    def efficiency(self) -> float:
        """live / stored; 1 for an image without content."""
        return self.live / self.stored if self.stored else 1.0

    @cached_property
    def items(self) -> tuple[Shadowed, ...]:
        """Every shadowed file, the largest first; files without content have no part in this."""
        found = [self._item(death) for death in self._deaths if self._size(death)]
        return tuple(sorted(found, key=lambda item: (-item.size, item.writer, item.path, item.killer)))

    @cached_property
    def packed_shadowed(self) -> int:
        """About how many compressed bytes, as a pull fetches them, are waste."""
        return sum(item.packed for item in self.items)

    @cached_property
    def inherited(self) -> int:
        """Shadowed bytes that the base wrote."""
        return sum(item.size for item in self.items if item.inherited)

    @property
    def avoidable(self) -> int:
        """Shadowed bytes written above the base."""
        return self.shadowed - self.inherited

    @cached_property
    def by_cause(self) -> Mapping[str, int]:
        """Shadowed bytes for each cause, in the order of CAUSES."""
        sums: Counter[str] = Counter()
        for item in self.items:
            sums[item.cause] += item.size
        return {cause: sums[cause] for cause in CAUSES}

    @cached_property
    def layers(self) -> tuple[LayerAccount, ...]:
        """The account of each layer, the lowest first."""
        lost, packed, killed = Counter[int](), Counter[int](), Counter[int]()
        for item in self.items:
            lost[item.writer] += item.size
            packed[item.writer] += item.packed
            killed[item.killer] += item.size
        return tuple(
            LayerAccount(
                stored=layer.index.content_size, live=layer.index.content_size - lost[number],
                packed=self._packings[number].size, packed_shadowed=packed[number], killed=killed[number],
            )
            for number, layer in enumerate(self._layers)
        )  # fmt: skip

    @cached_property
    def copies(self) -> tuple[Copies, ...]:
        """Live files with content that another live file has too, the largest gain first."""
        repeats = self.repeats if self.repeats is not None else repeated_contents(self._layers)
        dead: dict[int, set[int]] = {}
        for writer, entry in self.dead if any(repeats) else ():
            dead.setdefault(writer, set()).add(entry)
        return copies(self._layers, repeats, dead)

    @cached_property
    def copies_text(self) -> bytes:
        """The same as JSON."""
        return written(self.copies)

    @cached_property
    def repeated(self) -> int:
        """Live bytes that are there once more than they need be."""
        return sum(one.extra for one in self.copies)

    def adopt(self, copies_text: bytes, repeated: int) -> None:
        """Take what another has worked out of all files, which holds where none is dead."""
        if not self._deaths:
            self.copies_text, self.repeated = copies_text, repeated

    def packed_size(self, layer: int, entry: int) -> int:
        """About what an entry takes of its layer's blob; those of all entries of a layer add up to it."""
        return self._packings[layer].share(entry)

    def _size(self, death: Death) -> int:
        return self._layers[death.writer].sizes[death.entry]

    def _item(self, death: Death) -> Shadowed:
        layer = self._layers[death.writer]
        return Shadowed(
            path=layer.paths[death.entry], size=layer.sizes[death.entry],
            packed=self._packings[death.writer].share(death.entry), writer=death.writer,
            killer=death.killer, cause=death.cause, by=death.by, inherited=death.writer < self.base,
        )  # fmt: skip


def ledger(layers: Sequence[Layer], blob_sizes: Iterable[int], *, base: int = 0) -> Ledger:
    """The account of the image with these layers, the lowest first, and these compressed sizes.

    `base` layers belong to another image that this one was made from. Raises BrokenLink.
    """
    stacking = Stacking()
    for layer in layers:
        stacking.add(layer)
    return Ledger(layers, stacking, tuple(blob_sizes), base)
