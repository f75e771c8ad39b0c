"""The contents of files in the layers of an image of the store, also of those it does not show."""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.analysis.image import Image
from millefeuille.images.content import find_platform
from millefeuille.layers.entry import NO_XATTRS
from millefeuille.layers.tree import Node
from millefeuille.store.filetree import FileTree
from millefeuille.store.images import layers_of
from millefeuille.store.store import Store

_ZEROS = 1 << 20  # bytes of a hole that are given at once


def content(store: Store, image: Image, layer: int, entry: int) -> Iterator[bytes]:
    """The content of a regular file, by its layer and its number there.

    Raises NoSuchImage when it is not in the store any more, DamagedLayer, and DamagedContent at the end of
    what is not as it came.
    """
    index = image.layers[layer].index
    found = index.entry(entry)
    node = Node(
        found.mode,
        found.uid,
        found.gid,
        found.mtime,
        found.nsec,
        found.size,
        layer,
        entry,
        found.data,
        NO_XATTRS,
    )
    node.sparse = found.sparse
    with store.reading() as tx:
        # By its ID: the name may mean another image by now.
        record = find_platform(tx, str(image.config.id), None)
        tree = FileTree(store.disk, layers_of(tx, record.id), image.name)
    with tree:
        position = 0
        for offset, data in tree.content(node):
            yield from _hole(offset - position)
            yield bytes(data)
            position = offset + len(data)
        yield from _hole(found.size - position)


def _hole(length: int) -> Iterator[bytes]:
    for done in range(0, length, _ZEROS):
        yield bytes(min(_ZEROS, length - done))
