"""Stacked: what a stack of layers has under a few paths, looked up in their indexes; no tree is made.

The rules are those of `tree`, which makes the whole of it. Here each question costs some binary searches in
those layers that have something in the directory, however large the layers are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from millefeuille.annotations import Final, NamedTuple
from millefeuille.layers.entry import (
    BLOCK,
    CHARACTER,
    DIRECTORY,
    FIFO,
    FILE,
    HARDLINK,
    OPAQUE,
    SYMLINK,
    WHITEOUT,
)
from millefeuille.layers.index import LayerIndex
from millefeuille.layers.refusal import BrokenLink, quoted
from millefeuille.layers.tarheader import Metadata
from millefeuille.layers.tree import NO_ENTRY

_IMPLICIT_PERMISSIONS: Final = 0o755
_NO_DIRECTORIES: Final = (FILE, SYMLINK, HARDLINK, CHARACTER, BLOCK, FIFO)
_END: Final = 1 << 62  # behind every entry


class Inode(NamedTuple):
    """What the stack has under a path: as told by entry `number` of layer `layer`, 0 being the lowest.

    A hard link is told by the entry that it leads to, under its own path: two names of one file have the same
    two numbers. `number` is NO_ENTRY for a directory that only its content implies.
    """

    entry: Metadata
    layer: int
    number: int

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.entry.kind == DIRECTORY


class _Part(NamedTuple):
    """One layer's share in a directory: the places in its order that lie below, the entries after `since`."""

    layer: int
    low: int
    high: int
    since: int


class _Seen(NamedTuple):
    """What one layer says of one path."""

    number: int  # of the last entry for it, NO_ENTRY for none
    replaced: int  # number of the last entry there that is no directory: what came before is gone
    implied: bool
    whiteout: bool
    opaque: bool
    low: int = 0
    high: int = 0


class _Directory(NamedTuple):
    inode: Inode
    parts: tuple[_Part, ...]  # the uppermost first


class _Until(NamedTuple):
    """Asks for the stack as it was before an entry of a layer came."""

    layer: int
    number: int


_WHOLE: Final = _Until(_END, _END)


class Stack:
    """The merged file system of layers, by their indexes, the lowest first.

    Paths are relative to the root, which is "", and have no links in them: none are followed.
    """

    def __init__(self, indexes: Sequence[LayerIndex]) -> None:
        self._indexes = indexes
        self._known: dict[bytes, _Directory | None] = {}

    def lookup(self, path: bytes) -> Inode | None:
        """What is there; None for nothing. Raises BrokenLink."""
        return self._lookup(path, _WHOLE)

    def children(self, path: bytes) -> list[Inode]:
        """What the directory there holds, sorted by name; nothing if it is none. Raises BrokenLink."""
        directory = self._directory(path, _WHOLE)
        if directory is None:
            return []
        if len(directory.parts) == 1:
            return self._alone(directory, path)
        names = {name for part in directory.parts for name in self._names(part, path)}
        found = (self._child(directory, _join(path, name), _WHOLE)[0] for name in sorted(names))
        return [inode for inode in found if inode is not None]

    def content(self, inode: Inode) -> bytes | None:
        """blake3 digest of a regular file's content; None where none was taken."""
        return self._indexes[inode.layer].content(inode.number) if inode.number >= 0 else None

    def index(self, inode: Inode) -> LayerIndex:
        """The index of the layer that it comes from; not for the root of an empty stack."""
        return self._indexes[inode.layer]

    def check_links(self, layer: int) -> None:
        """Raise BrokenLink for a hard link of a layer, 0 being the lowest, that leads to no file."""
        index = self._indexes[layer]
        kinds = bytes(index.kinds)
        number = kinds.find(HARDLINK)
        while number >= 0:
            self._linked(index.path(number), layer, number)
            number = kinds.find(HARDLINK, number + 1)

    def _lookup(self, path: bytes, until: _Until) -> Inode | None:
        if not path:
            return self._root(until).inode
        directory = self._directory(path.rpartition(b"/")[0], until)
        return self._child(directory, path, until)[0] if directory is not None else None

    def _directory(self, path: bytes, until: _Until) -> _Directory | None:
        if until is _WHOLE:
            return self._known_directory(path)
        found: _Directory | None = self._root(until)
        here = b""
        for name in path.split(b"/") if path else ():
            if found is None:
                return None
            here = _join(here, name)
            found = self._below(found, here, until)
        return found

    def _known_directory(self, path: bytes) -> _Directory | None:
        """From the nearest one above looked up before; all on the way is known from now on."""
        way = []
        while path and path not in self._known:
            way.append(path)
            path = path.rpartition(b"/")[0]
        found = self._known[path] if path else self._root(_WHOLE)
        for here in reversed(way):
            if found is not None:
                found = self._below(found, here, _WHOLE)
            self._known[here] = found
        return found

    def _below(self, directory: _Directory, path: bytes, until: _Until) -> _Directory | None:
        inode, parts = self._child(directory, path, until)
        return _Directory(inode, parts) if inode is not None and inode.is_directory else None

    def _root(self, until: _Until) -> _Directory:
        if until is _WHOLE and b"" in self._known:
            known = self._known[b""]
            assert known is not None
            return known
        whole = tuple(
            _Part(layer, 0, len(self._indexes[layer]), NO_ENTRY)
            for layer in range(min(len(self._indexes) - 1, until.layer), -1, -1)
        )
        inode, parts = self._merged(whole, b"", until, always=True)
        assert inode is not None
        root = _Directory(inode, parts)
        if until is _WHOLE:
            self._known[b""] = root
        return root

    def _child(
        self, directory: _Directory, path: bytes, until: _Until
    ) -> tuple[Inode | None, tuple[_Part, ...]]:
        return self._merged(directory.parts, path, until)

    def _merged(
        self, parts: Sequence[_Part], path: bytes, until: _Until, *, always: bool = False
    ) -> tuple[Inode | None, tuple[_Part, ...]]:
        """What these layers have at `path`, and their shares if it is a directory, as `always` says."""
        shares: list[_Part] = []
        told: tuple[int, int] | None = None  # by which entry
        implied = 0 if always else NO_ENTRY  # the uppermost layer with something below
        hidden = False
        for part in parts:
            seen = self._seen(part, path, until)
            if seen is None:
                continue
            layer, number = part.layer, seen.number
            if number >= 0 and self._indexes[layer].kinds[number] != DIRECTORY:
                if told is None and implied < 0:
                    return self._inode(path, layer, number), ()
                break
            if number >= 0 or seen.implied:
                implied = max(implied, layer)
                if number >= 0 and told is None:
                    told = (layer, number)
            if seen.low < seen.high and not hidden:  # be it marks alone
                shares.append(_Part(layer, seen.low, seen.high, max(part.since, seen.replaced)))
            if seen.whiteout or seen.replaced >= 0:
                break
            hidden |= seen.opaque
            if hidden and told is not None:
                break
        if told is not None:
            return self._inode(path, *told), tuple(shares)
        if implied < 0:
            return None, ()
        entry = Metadata(path=path, kind=DIRECTORY, mode=_IMPLICIT_PERMISSIONS)
        return Inode(entry, implied, NO_ENTRY), tuple(shares)

    def _seen(self, part: _Part, path: bytes, until: _Until) -> _Seen | None:
        index = self._indexes[part.layer]
        order, kinds, path_of = index.order, index.kinds, index.path
        at = bisect_left(order, path, part.low, part.high, key=path_of)
        before = until.number if part.layer == until.layer else _END
        number = replaced = NO_ENTRY
        whiteout = opaque = False
        here = b""
        while at < part.high and (here := path_of(order[at])) == path:
            one = order[at]
            at += 1
            kind = kinds[one]
            if kind == WHITEOUT:
                whiteout = True
            elif kind == OPAQUE:
                opaque = True
            elif part.since < one < before:
                number = one
                replaced = one if kind != DIRECTORY else replaced
        if number >= 0 and number == replaced:
            return _Seen(number, replaced, False, whiteout, opaque)
        if at == part.high or not here.startswith(path):
            low = high = at
        elif not path:
            low, high = at, part.high
        else:
            low = bisect_left(order, path + b"/", at, part.high, key=path_of)
            high = bisect_left(order, path + b"0", low, part.high, key=path_of)
        since = max(part.since, replaced)
        implied = number >= 0 or any(
            kinds[one] < WHITEOUT and since < one < before for one in order[low:high]
        )
        if number < 0 and low == high and not whiteout and not opaque:
            return None
        return _Seen(number, replaced, implied, whiteout, opaque, low, high)

    def _names(self, part: _Part, path: bytes) -> list[bytes]:
        """The names in one layer's share in a directory, some of them twice."""
        index = self._indexes[part.layer]
        order, path_of = index.order, index.path
        start = len(path) + 1 if path else 0
        names: list[bytes] = []
        at = part.low
        while at < part.high:
            name, nested, _ = path_of(order[at])[start:].partition(b"/")
            names.append(name)
            at += 1
            if nested:
                at = bisect_left(order, _join(path, name) + b"0", at, part.high, key=path_of)
        return names

    def _alone(self, directory: _Directory, path: bytes) -> list[Inode]:
        """What a directory holds that only one layer has a share in: most files need no search then."""
        part = directory.parts[0]
        index = self._indexes[part.layer]
        order, kinds, path_of = index.order, index.kinds, index.path
        start = len(path) + 1 if path else 0
        found: dict[bytes, Inode | None] = {}
        at, here = part.low, b""
        while at < part.high:
            number = order[at]
            here = here or path_of(number)
            name, nested, _ = here[start:].partition(b"/")
            at += 1
            if nested:
                at = bisect_left(order, _join(path, name) + b"0", at, part.high, key=path_of)
            following = path_of(order[at]) if at < part.high else b""
            if not nested and following != here and kinds[number] in _NO_DIRECTORIES and number > part.since:
                found[name] = self._inode(here, part.layer, number)
            elif name not in found:
                found[name] = self._child(directory, _join(path, name), _WHOLE)[0]
            here = following
        return [inode for _, inode in sorted(found.items()) if inode is not None]

    def _inode(self, path: bytes, layer: int, number: int) -> Inode:
        index = self._indexes[layer]
        if index.kinds[number] == HARDLINK:
            target = self._linked(path, layer, number)
            return target._replace(entry=target.entry._replace(path=path))
        entry = Metadata(
            path=path, kind=index.kinds[number], mode=index.modes[number], uid=index.uids[number],
            gid=index.gids[number], size=index.sizes[number], mtime=index.mtimes[number],
            nsec=index.nsecs[number], link=index.link(number), device=index.device(number),
            xattrs=index.xattrs(number),
        )  # fmt: skip
        return Inode(entry, layer, number)

    def _linked(self, path: bytes, layer: int, number: int) -> Inode:
        index = self._indexes[layer]
        target = index.link(number)
        near = index.find(target)
        if near is not None and near < number and index.kinds[near] not in (DIRECTORY, HARDLINK):
            return self._inode(target, layer, near)
        found = self._lookup(target, _Until(layer, number))
        if found is None or found.is_directory:
            what = "a directory" if found else "nothing"
            raise BrokenLink(f"layer {layer} has a hard link to {what} ({quoted(path)} to {quoted(target)})")
        return found


def _join(parent: bytes, name: bytes) -> bytes:
    return parent + b"/" + name if parent else name
