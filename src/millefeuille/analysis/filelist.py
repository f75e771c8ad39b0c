"""The entries of a layer as JSON objects, written straight from the columns of its index.

Most files of a layer differ in name and size only. So a row is put together from three lists, of names, of
what stands before the size and of what stands from there on, and equal pieces are written once.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence

from millefeuille.analysis.layer import Layer, positions
from millefeuille.analysis.schema import KINDS
from millefeuille.analysis.stacking import CHANGES
from millefeuille.annotations import Final
from millefeuille.layers.entry import FILE, WHITEOUT
from millefeuille.plainjson import quoted

_BEGIN: Final = '{"path":"'
_BETWEEN: Final = f"}},{_BEGIN}"
_ROW: Final = _BEGIN.encode()
_NEXT: Final = _BETWEEN.encode()
_ROWS: Final = 4000  # put together at once: as many as a processor's cache holds


def file_list(layer: Layer) -> bytes:
    """A layer's entries in the order of the tar, with commas between, but for what others do to them."""
    count = len(layer.kinds)
    if not count:
        return b""
    columns = (_names(layer), _heads(layer), _tails(layer))
    for entry in (*layer.whiteouts, *layer.opaques):
        columns[1][entry], columns[2][entry] = f'","kind":"{KINDS[layer.kinds[entry]]}"', ""
    for entry in [entry for entry, link in enumerate(layer.index.links) if link] if _has_links(layer) else ():
        columns[2][entry] += f',"link":{quoted(os.fsdecode(layer.index.link(entry)))}'
    found = [_ROW]
    for at in range(0, count, _ROWS):
        pieces = [_BETWEEN] * (4 * min(_ROWS, count - at))
        for place, column in enumerate(columns):
            pieces[place::4] = column[at : at + _ROWS]
        if at + _ROWS >= count:
            pieces[-1] = "}"
        found.append("".join(pieces).encode())
    return b"".join(found)


def marked(
    listed: bytes | memoryview, layer: Layer, changes: Mapping[int, int], dead: Collection[int]
) -> Iterator[bytes | memoryview]:
    """A layer's file list with what the stack makes of its entries, in pieces.

    `changes` has what entries change of those below, by their numbers, and `dead` the numbers of those that
    are shadowed.
    """
    text, done, at, row = memoryview(listed), 0, 0, -1
    plain = bytes(listed) if changes or dead else b""
    distinct = len(layer.names) == len(layer.paths)
    for entry in sorted({*changes, *dead}):
        # Inside of a string there is no quote without a backslash, so this is where rows begin.
        for _ in range(1 if distinct else entry - row):
            at = plain.index(_begin(layer.paths[entry]) if distinct else _ROW, at) + 1
        row = entry
        end = plain.find(_NEXT, at)
        end = len(plain) - 1 if end < 0 else end
        yield text[done:end]
        if entry in changes:
            yield f',"change":"{CHANGES[changes[entry]]}"'.encode()
        if entry in dead:
            yield b',"shadowed":true'
        done = end
    yield text[done:]


def _begin(path: bytes) -> bytes:
    return f"{_BEGIN}{quoted(os.fsdecode(path))[1:]}".encode()


def _names(layer: Layer) -> list[str]:
    text = os.fsdecode(layer.index.all_paths())
    if len(quoted(text)) == len(text) + 2:  # nothing in it has to be escaped
        return layer.index.sliced(text)
    return [quoted(os.fsdecode(path))[1:-1] for path in layer.paths]


def _heads(layer: Layer) -> list[str]:
    index = layer.index
    if _is_uniform(index.uids) and _is_uniform(index.gids):
        uid, gid = index.uids[0], index.gids[0]
        modes = {mode: _head(FILE, mode, uid, gid) for mode in set(index.modes)}
        heads = [modes[mode] for mode in index.modes]
    else:
        rows = list(zip(index.modes, index.uids, index.gids, strict=True))
        owners = {row: _head(FILE, *row) for row in set(rows)}
        heads = [owners[row] for row in rows]
    for kind in set(layer.kinds) - {FILE}:
        for entry in positions(layer.kinds, kind) if kind < WHITEOUT else ():
            heads[entry] = _head(kind, index.modes[entry], index.uids[entry], index.gids[entry])
    return heads


def _tails(layer: Layer) -> list[str]:
    sizes, mtimes = layer.sizes, layer.index.mtimes
    if not _is_uniform(mtimes):
        return [f'{size},"mtime":{mtime}' for size, mtime in zip(sizes, mtimes, strict=True)]
    texts = {size: f'{size},"mtime":{mtimes[0]}' for size in set(sizes)}
    return [texts[size] for size in sizes]


def _head(kind: int, mode: int, uid: int, gid: int) -> str:
    return f'","kind":"{KINDS[kind]}","mode":{mode},"uid":{uid},"gid":{gid},"sizeBytes":'


def _has_links(layer: Layer) -> bool:
    return not _is_uniform(layer.index.links) or bool(layer.index.links[0])


def _is_uniform(column: Sequence[int]) -> bool:
    """Whether all numbers of a column that is not empty are the same."""
    view = memoryview(column)  # type: ignore[arg-type]  # a column is an array, or a view of one
    # As bytes, since numbers would be compared one by one.
    return view.cast("B")[: -view.itemsize] == view.cast("B")[view.itemsize :]
