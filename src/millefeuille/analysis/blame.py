"""Blame: every layer that had to do with one path, and what it did."""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.analysis.image import Image
from millefeuille.analysis.layer import Layer
from millefeuille.analysis.ledger import Ledger
from millefeuille.analysis.stacking import ADDED, CHANGES
from millefeuille.analysis.tree import NO_ENTRY, Trees
from millefeuille.annotations import Final
from millefeuille.layers.entry import DIRECTORY, FILE, HARDLINK, SYMLINK, WHITEOUT
from millefeuille.layers.following import follow
from millefeuille.values import dataclass, replace

_UNNAMED_MODE: Final = 0o755  # of a directory that no entry names


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """One act of one layer. `act` is added, content, metadata, type, unchanged, removed or hidden.

    `by` is the path whose entry or mark did it, which may be a directory above. `size` is the file's, in
    bytes; `live` says whether that is what the image shows. Of a hard link, `kind` and `link` are its own,
    the rest, `file` for the kind, is that of the file which it is one more name of.
    """

    layer: int
    act: str
    by: bytes
    kind: int
    file: int = FILE
    size: int = 0
    mode: int = 0
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    link: bytes = b""
    content: bytes | None = None
    live: bool = False


def blame(image: Image, account: Ledger, path: bytes) -> tuple[Touch, ...]:
    """What the layers did at `path`, relative to the root, the lowest first; nothing where none ever was."""
    found: list[Touch] = []
    there = False
    dead = set(account.dead)
    trees = Trees(image.layers, account)  # costs nothing until a hard link asks
    for number, part in enumerate(image.parts):
        layer = part.layer
        for above, kind in _losses(image, number, path):
            if there:
                act = "removed" if kind == WHITEOUT else "hidden"
                found.append(Touch(layer=number, act=act, by=above, kind=kind))
                there = False
        named = _named(layer, path)
        child = _child(layer, path) if not named else b""
        if child and not (there and found[-1].kind == DIRECTORY):
            act = "type" if there else "added"
            found.append(Touch(
                layer=number, act=act, by=child, kind=DIRECTORY, mode=_UNNAMED_MODE, live=True,
            ))  # fmt: skip
            there = True
        for entry in named:
            # What a mark of the same layer took away first is there no more.
            change = account.changes[number].get(entry, ADDED) if there else ADDED
            touch = _wrote(image, trees, number, entry)
            found.append(replace(touch, act=CHANGES[change], live=(number, entry) not in dead))
            there = True
    return _last_lives(found)


def _wrote(image: Image, trees: Trees, number: int, entry: int) -> Touch:
    """What an entry of a layer gives its path."""
    layer = image.parts[number].layer
    kind, link = layer.kinds[entry], layer.index.link(entry)
    holder, place = trees.linked(number, entry) if kind == HARDLINK else (number, entry)
    if place == NO_ENTRY:  # a directory, which has no other names: the link is all there is
        holder, place = number, entry
    held = image.parts[holder].layer
    index = held.index
    return Touch(
        layer=number, act="", by=layer.paths[entry], kind=kind, link=link,
        file=FILE if held.kinds[place] == HARDLINK else held.kinds[place],
        size=held.sizes[place], mode=index.modes[place], uid=index.uids[place], gid=index.gids[place],
        mtime=index.mtimes[place], content=index.content(place),
    )  # fmt: skip


def led(image: Image, account: Ledger, path: bytes) -> bytes:
    """The path that `path` leads to in the whole image when a directory on its way is a symlink.

    What the path itself ends with is not followed. Raises TooManyLinks.
    """
    trees, last = Trees(image.layers, account), len(image.parts) - 1

    def link_at(above: bytes) -> bytes | None:
        layer, entry = trees.find(above, last) or (0, NO_ENTRY)
        held = image.parts[layer].layer
        return held.index.link(entry) if entry != NO_ENTRY and held.kinds[entry] == SYMLINK else None

    return follow(path, link_at, leaf=False)


def _named(layer: Layer, path: bytes) -> list[int]:
    """The entries of a layer that give `path` a state, in the order of the tar.

    Of directories one behind the other only the last: each has done no more than set attributes.
    """
    entries = [entry for entry in layer.at(path) if layer.kinds[entry] < WHITEOUT]
    kinds = [layer.kinds[entry] for entry in entries]
    return [
        entry for place, entry in enumerate(entries)
        if kinds[place : place + 2] != [DIRECTORY, DIRECTORY]
    ]  # fmt: skip


def _child(layer: Layer, path: bytes) -> bytes:
    """Something that a layer has below `path`, which is a directory then, named or not."""
    entries = (entry for entry in layer.below(path) if layer.kinds[entry] < WHITEOUT)
    return next((layer.paths[entry] for entry in entries), b"")


def _losses(image: Image, number: int, path: bytes) -> Iterator[tuple[bytes, int]]:
    """The marks and files of a layer that take away what is under `path`, and their kinds."""
    layer = image.parts[number].layer
    for entry in layer.at(path):
        if layer.kinds[entry] == WHITEOUT:
            yield path, WHITEOUT
    above = path
    while above:
        above = above.rpartition(b"/")[0]
        for entry in layer.at(above):
            if layer.kinds[entry] != DIRECTORY:
                yield above, layer.kinds[entry]


def _last_lives(found: list[Touch]) -> tuple[Touch, ...]:
    """Only the last act on a path can be what the image shows."""
    return tuple(
        touch if place + 1 == len(found) else replace(touch, live=False) for place, touch in enumerate(found)
    )
