"""The metadata image of a chain: the merged tree as EROFS, with all file data left in the layers' tars.

    zeros to 1024 · super block · device table · inodes, the root first, each with its attributes and its
    chunks or tail · long directories and links · shared attributes

One pass over the tree, breadth first, so that what `ls -l` reads together stands together. An inode is
written when its directory is listed; a directory's entries when all of them have their number.
Equal trees give equal bytes.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Sequence

from millefeuille.annotations import Final
from millefeuille.errors import Invalid, Unsupported
from millefeuille.layers.uncollected import uncollected
from millefeuille.snapshots.attributes import shown
from millefeuille.snapshots.erofs import chunks, xattrs
from millefeuille.snapshots.erofs.format import (
    BLOCK,
    BLOCK_BITS,
    CHUNK_INDEXES,
    CHUNKED,
    DIRENT,
    INLINE,
    INODE,
    INODE_LINKS,
    INODE_UNION,
    MAXIMUM_CHUNK_BITS,
    ONE_CHUNK_INODE,
    PLAIN,
    SLOT,
    SLOT_BITS,
    WORD,
    Device,
    Summary,
    fill_header,
    header_size,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.layers.tree import Node

_ADVICE: Final = "Use the other driver: MILLE_SNAPSHOTTER=overlay."
_REGULAR: Final = stat.S_IFREG >> 12
_SYMLINK: Final = stat.S_IFLNK >> 12
_LINK_MODE: Final = stat.S_IFLNK | 0o777  # whatever a layer says: Linux knows no other
_DEVICES: Final = (stat.S_IFCHR >> 12, stat.S_IFBLK >> 12)
# Directory entry types by the upper four bits of the mode.
_TYPES: Final = {1: 5, 2: 3, 4: 2, 6: 4, 8: 1, 10: 7, 12: 6}


class InvalidTree(Invalid):
    """The tree holds something that no merged tree can hold."""


def write_image(
    root: Node, devices: Sequence[Device], *, uuid: bytes, marks: bool = False
) -> bytearray:  # fmt: skip
    """The EROFS metadata image of the tree under `root`; `devices` are the layers' tars, lowest first.

    `uuid` is 16 bytes, distinct per chain. With `marks` the tree may have overlayfs's own, whiteouts and
    attributes, which are the caller's and no layer's. Raises InvalidTree, ImageTooLarge, UnmappableFile.
    """
    writer = _Writer(devices, uuid, marks=marks)
    with uncollected():
        try:
            return writer.write(root)
        except Unsupported as error:
            if writer.looked_at is None:
                raise
            path = os.fsdecode(_path(root, writer.looked_at))
            raise type(error)(f"{path}: {error}", advice=_ADVICE) from None


def _path(root: Node, wanted: Node) -> bytes:
    """A path of an inode in the tree."""
    waiting = [(b"", root)]
    while waiting:
        path, node = waiting.pop()
        if node is wanted:
            return path
        waiting += ((path + b"/" + name, child) for name, child in (node.children or {}).items())
    return b""


class _Writer:
    """An image in the making; `_image` grows by whole slots."""

    def __init__(self, devices: Sequence[Device], uuid: bytes, *, marks: bool) -> None:
        self._marks = marks
        self._devices = devices
        self._uuid = uuid
        self._image = bytearray(header_size(devices))
        self._xattrs = xattrs.XattrTable(marks=marks)
        self._blocks = bytearray()  # long directories and links
        self._fixes: list[tuple[int, int]] = []  # position of a start block in the image, block in `_blocks`
        self._linked: dict[int, int] = {}  # hard-linked inodes: id of the node to nid
        self._links: dict[int, int] = {}  # the same nids, and how often they have been seen
        self._listed: deque[_Listing] = deque()
        self._inodes = 0
        self.looked_at: Node | None = None  # the file whose bytes are being mapped, where that may fail

    def write(self, root: Node) -> bytearray:
        first = self._directory(root, None)
        while self._listed:
            self._entries(self._listed.popleft())
        image = self._image
        for nid, links in self._links.items():
            WORD.pack_into(image, (nid << SLOT_BITS) + INODE_LINKS, links)
        _pad(image)
        start = len(image) >> BLOCK_BITS
        for position, block in self._fixes:
            WORD.pack_into(image, position, start + block)
        image += self._blocks
        _pad(image)
        shared = len(image) >> BLOCK_BITS if self._xattrs.area else 0
        image += self._xattrs.area
        _pad(image)
        blocks = len(image) >> BLOCK_BITS
        summary = Summary(
            root=first, inodes=self._inodes, blocks=blocks, shared_xattrs=shared, uuid=self._uuid
        )
        fill_header(image, self._devices, summary)
        return image

    def _entries(self, listing: _Listing) -> None:
        """Write the inodes of a directory's children, then its entries, which name them."""
        linked, image = self._linked, self._image
        children = listing.node.children or {}
        place, pack = self._inode, DIRENT.pack
        subdirectories = 0
        filled = []
        for names in listing.blocks:
            records = []
            offset = 12 * len(names)
            for name in names:
                node = children.get(name)
                if node is None:
                    nid, kind = listing.nid if name == b"." else listing.parent, 2
                elif node.children is not None:
                    nid, kind = self._directory(node, listing), 2
                    subdirectories += 1
                elif node.nlink == 1:
                    nid, kind = place(node), _TYPES[node.mode >> 12]
                else:
                    nid, kind = linked.get(id(node)) or self._shared_inode(node), _TYPES[node.mode >> 12]
                    self._links[nid] += 1
                records.append(pack(nid, offset, kind, 0))
                offset += len(name)
            filled.append(b"".join(records) + b"".join(names))
        self._fill(listing, filled)
        WORD.pack_into(image, (listing.nid << SLOT_BITS) + INODE_LINKS, 2 + subdirectories)

    def _fill(self, listing: _Listing, filled: list[bytes]) -> None:
        if listing.tail:
            tail = filled.pop()
            self._image[listing.tail : listing.tail + len(tail)] = tail
        position = listing.block << BLOCK_BITS
        for block in filled:
            self._blocks[position : position + len(block)] = block
            position += BLOCK

    def _directory(self, node: Node, parent: _Listing | None) -> int:
        """Write a directory's inode with room for its entries; its nid."""
        assert node.children is not None
        blocks = _split(sorted([b".", b"..", *node.children]))
        last = _used(blocks[-1])
        encoded = self._encoded(node)
        head = INODE.size + len(encoded)
        inline = head + last <= BLOCK
        position = self._reserve(head + last if inline else head, whole=inline)
        size = (len(blocks) - 1) * BLOCK + last
        own = len(blocks) - inline
        block = self._own_blocks(position, own) if own else 0
        self._head(position, node, INLINE if inline else PLAIN, size, 0, encoded)
        nid = position >> SLOT_BITS
        tail = position + head if inline else 0
        self._listed.append(_Listing(node, nid, parent.nid if parent else nid, blocks, block, tail))
        return nid

    def _shared_inode(self, node: Node) -> int:
        """Write an inode that several names may have; how many do is counted, not believed."""
        nid = self._linked[id(node)] = self._inode(node)
        self._links[nid] = 0
        return nid

    def _inode(self, node: Node) -> int:
        """Write what is not a directory; its nid."""
        size = node.size
        if node.mode >> 12 != _REGULAR:
            return self._special(node)
        if not size or node.xattrs or node.sparse is not None or size >> MAXIMUM_CHUNK_BITS:
            return self._file(node)
        image = self._image
        nid = len(image) >> SLOT_BITS
        # As `chunks` has it, without the calls: nearly every inode passes here.
        form, start = (size - 1 >> BLOCK_BITS).bit_length() | CHUNK_INDEXES, chunks.block(node.offset)
        image += ONE_CHUNK_INODE.pack(
            CHUNKED, 0, node.mode, 0, size, form,
            nid & 0xFFFFFFFF, node.uid, node.gid, node.mtime, node.nsec, 1,
            0, node.layer + 1, start,
        )  # fmt: skip
        self._inodes += 1
        return nid

    def _file(self, node: Node) -> int:
        """An empty, sparse or huge file, or one with attributes."""
        encoded = self._encoded(node)
        device = node.layer + 1
        if not node.size:
            return self._simple(node, 0, encoded)
        self.looked_at = node
        if node.sparse is None:
            bits = chunks.chunk_bits(node.size)
            records = chunks.dense(node.size, node.offset, device, bits)
        else:
            bits, records = chunks.sparse(node.size, node.offset, device, node.sparse)
        self.looked_at = None
        head = INODE.size + len(encoded) + 7 & ~7
        position = self._reserve(head + len(records))
        self._head(position, node, CHUNKED, node.size, chunks.chunk_format(bits), encoded)
        self._image[position + head : position + head + len(records)] = records
        return position >> SLOT_BITS

    def _special(self, node: Node) -> int:
        """A link, device, FIFO or socket."""
        kind = node.mode >> 12
        if kind == _SYMLINK:
            return self._symlink(node)
        if kind not in _TYPES:
            raise InvalidTree(f"unknown file type in mode {node.mode:o}")
        device = node.rdev if kind in _DEVICES else 0
        if kind == _DEVICES[0] and device == 0 and not self._marks:
            raise InvalidTree("a whiteout has outlived the merge of the layers")
        if device >> 32:
            raise InvalidTree("a device's number is larger than Linux has")
        return self._simple(node, device, self._encoded(node))

    def _symlink(self, node: Node) -> int:
        target = node.link
        encoded = self._encoded(node)
        head = INODE.size + len(encoded)
        inline = head + len(target) <= BLOCK
        position = self._reserve(head + len(target) if inline else head, whole=inline)
        self._head(position, node, INLINE if inline else PLAIN, len(target), 0, encoded)
        if inline:
            self._image[position + head : position + head + len(target)] = target
        else:
            block = self._own_blocks(position, -(-len(target) >> BLOCK_BITS)) << BLOCK_BITS
            self._blocks[block : block + len(target)] = target
        return position >> SLOT_BITS

    def _encoded(self, node: Node) -> bytes:
        """What stands behind an inode for its attributes."""
        return self._xattrs.encode(shown(node.mode, node.xattrs)) if node.xattrs else b""

    def _simple(self, node: Node, union: int, encoded: bytes) -> int:
        position = self._reserve(INODE.size + len(encoded))
        self._head(position, node, PLAIN, 0, union, encoded)
        return position >> SLOT_BITS

    def _head(self, position: int, node: Node, form: int, size: int, union: int, encoded: bytes) -> None:
        mode = _LINK_MODE if node.mode >> 12 == _SYMLINK else node.mode
        INODE.pack_into(
            self._image, position, form, xattrs.count(encoded), mode, 0, size, union,
            position >> SLOT_BITS & 0xFFFFFFFF, node.uid, node.gid, node.mtime, node.nsec, 1,
        )  # fmt: skip
        start = position + INODE.size
        self._image[start : start + len(encoded)] = encoded
        self._inodes += 1

    def _reserve(self, size: int, *, whole: bool = False) -> int:
        """The position of `size` new bytes, rounded up to slots; `whole`: inside one block."""
        image = self._image
        position = len(image)
        if whole and (position & BLOCK - 1) + size > BLOCK:
            _pad(image)
            position = len(image)
        image += bytes(-(-size // SLOT) * SLOT)
        return position

    def _own_blocks(self, position: int, count: int) -> int:
        """The first of `count` new blocks, for the data of the inode at `position`."""
        block = len(self._blocks) >> BLOCK_BITS
        self._blocks += bytes(count << BLOCK_BITS)
        self._fixes.append((position + INODE_UNION, block))
        return block


class _Listing:
    """A directory whose inode is written and whose entries are not yet."""

    __slots__ = ("block", "blocks", "nid", "node", "parent", "tail")

    def __init__(
        self, node: Node, nid: int, parent: int, blocks: list[list[bytes]], block: int, tail: int
    ) -> None:
        self.node = node
        self.nid = nid
        self.parent = parent
        self.blocks = blocks
        self.block = block
        self.tail = tail


def _used(names: list[bytes]) -> int:
    return 12 * len(names) + sum(map(len, names))


def _split(names: list[bytes]) -> list[list[bytes]]:
    """The names of a directory, block by block."""
    if _used(names) <= BLOCK:
        return [names]
    blocks: list[list[bytes]] = []
    current: list[bytes] = []
    room = 0
    for name in names:
        room -= 12 + len(name)
        if room < 0:
            current = []
            blocks.append(current)
            room = BLOCK - 12 - len(name)
        current.append(name)
    return blocks


def _pad(image: bytearray) -> None:
    image += bytes(-len(image) % BLOCK)
