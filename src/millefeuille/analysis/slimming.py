"""Slimming: what can be left out of an image's layers so that it still shows the same files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from millefeuille.analysis.layer import Layer
from millefeuille.analysis.ledger import Ledger
from millefeuille.annotations import NamedTuple
from millefeuille.layers.entry import DIRECTORY, FILE, HARDLINK, WHITEOUT
from millefeuille.layers.tree import NO_ENTRY, Merger

_Entry = tuple[int, int]  # a layer, and an entry's number in it


class Cut(NamedTuple):
    """What is put in the place of an entry that the image does not show.

    `directories` are there because the entry lies in them, and no entry names them. `stub` asks for
    an empty file under its path: it hid a directory that must not come back.
    """

    directories: tuple[bytes, ...] = ()
    stub: bool = False


def cuts(
    layers: Sequence[Layer], account: Ledger, base: int, *, careful: bool = False
) -> tuple[dict[int, Cut], ...]:
    """For each layer, what becomes of which entries; nothing in the lowest `base` layers.

    Only files with content go, and with one all links to it. To be `careful` is to put a stub in the place
    of each. Raises BrokenLink.
    """
    dead = {
        (death.writer, death.entry) for death in account.deaths
        if death.writer >= base and layers[death.writer].sizes[death.entry]
    }  # fmt: skip
    gone = sorted({*dead, *(link for link, file in _links(layers).items() if file in dead)}) if dead else []
    found: list[dict[int, Cut]] = [{} for _ in layers]
    merger = Merger()
    for number, layer in enumerate(layers if gone else ()):
        merger.add(layer.index)
        for entry in (entry for at, entry in gone if at == number):
            path = layer.paths[entry]
            hides = careful or any(_is_directory(lower, path) for lower in layers[: number + 1])
            found[number][entry] = Cut(tuple(_implied(merger, path)), hides)
    return tuple(found)


def _implied(merger: Merger, path: bytes) -> Iterator[bytes]:
    """The directories above a path that the top-most layer made without an entry for them."""
    parts = path.split(b"/")[:-1]
    for count in range(1, len(parts) + 1):
        above = b"/".join(parts[:count])
        node = merger.find(above)
        if node is None or node.children is None:
            return
        if node.entry == NO_ENTRY and node.layer == merger.layers - 1:
            yield above


def _links(layers: Sequence[Layer]) -> dict[_Entry, _Entry]:
    """The file that each hard link is another name of."""
    if not any(HARDLINK in layer.kinds for layer in layers):
        return {}
    shown: dict[bytes, _Entry] = {}
    found: dict[_Entry, _Entry] = {}
    for number, layer in enumerate(layers):
        for entry, (path, kind) in enumerate(zip(layer.paths, layer.kinds, strict=True)):
            if kind == HARDLINK:
                shown[path] = found[number, entry] = shown[layer.index.link(entry)]
            elif kind < WHITEOUT:
                shown[path] = (number, entry)
    return found


def _is_directory(layer: Layer, path: bytes) -> bool:
    """Whether a layer has a directory at a path, named or not."""
    if path in layer.parents:
        return True
    entry = layer.written.get(path)
    return entry is not None and layer.kinds[entry] == DIRECTORY


def saved(layers: Sequence[Layer], found: Sequence[dict[int, Cut]]) -> int:
    """The bytes of files that the cuts leave out."""
    return sum(
        layers[number].sizes[entry]
        for number, cut in enumerate(found) for entry in cut if layers[number].kinds[entry] == FILE
    )  # fmt: skip
