"""Intact: whether the extracted files of a chain still are what its layers' tars hold.

Overlayfs shows them as they are: whoever wrote over one, or a disk that forgot one, is seen by nobody else.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence

from millefeuille import kernel
from millefeuille.annotations import Final
from millefeuille.errors import MilleError
from millefeuille.layers.tree import Merger, Node
from millefeuille.oci.digest import Digest
from millefeuille.snapshots.overlay.difference import Directory, difference
from millefeuille.snapshots.snapshotter import Marks
from millefeuille.snapshots.storedlayers import open_index
from millefeuille.store import chains
from millefeuille.store.chains import NoSuchChain
from millefeuille.store.store import Store

_CHUNK: Final = 1 << 20
_SAFE: Final = kernel.RESOLVE_IN_ROOT | kernel.RESOLVE_NO_SYMLINKS | kernel.RESOLVE_NO_MAGICLINKS
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TIMES: Final = range(-(1 << 31), 1 << 31)  # seconds that no file system brings within bounds of its own
_DEVICES: Final = (stat.S_IFCHR, stat.S_IFBLK)


def damaged(store: Store, *, marks: Marks, data: bool) -> dict[Digest, str]:
    """What is wrong with the extracted chains, one thing for each; with `data` every byte is read.

    Chains whose layers are damaged themselves are passed over: there is nothing to hold them against.
    """
    found = {}
    for name in sorted(os.listdir(store.disk.extracted)) if os.path.isdir(store.disk.extracted) else ():
        chain = Digest("sha256", name)
        with contextlib.suppress(MilleError, FileNotFoundError), contextlib.ExitStack() as stack:
            wrong = next(_differences(store, chain, marks, stack, data=data), None)
            if wrong is not None and os.path.isdir(store.disk.extraction(chain)):
                found[chain] = f"/{os.fsdecode(wrong)} is not as in its layer"
    return found


def _differences(
    store: Store, chain: Digest, marks: Marks, stack: contextlib.ExitStack, *, data: bool
) -> Iterator[bytes]:
    """The paths that differ. Raises NoSuchChain, DamagedChain, OSError."""
    with store.reading() as tx:
        layers = chains.layers_of_chain(tx, chain)
    if not layers:
        raise NoSuchChain(f"chain {chain}: not in the store")
    merger = Merger()
    for layer in layers[:-1]:
        merger.add(open_index(store, layer))
    changed = difference(merger, open_index(store, layers[-1]))
    tars = []
    for layer in layers if data else ():
        tars.append(os.open(store.disk.tar(layer.diff_id), os.O_RDONLY | os.O_CLOEXEC))
        stack.callback(os.close, tars[-1])
    root = os.open(f"{store.disk.extraction(chain)}/fs", _DIRECTORY)
    stack.callback(os.close, root)
    below: dict[bytes, set[bytes]] = {directory.path: set() for directory in changed}
    for directory in changed[1:]:
        parent, _, leaf = directory.path.rpartition(b"/")
        below[parent].add(leaf)
    for directory in changed:
        yield from _in_directory(root, directory, below[directory.path], tars, marks)


def _in_directory(
    root: int, directory: Directory, below: set[bytes], tars: Sequence[int], marks: Marks
) -> Iterator[bytes]:
    try:
        place = kernel.openat2(root, directory.path or b".", _DIRECTORY, resolve=_SAFE)
    except OSError:
        yield directory.path
        return
    try:
        yield from _at(place, directory, below, tars, marks)
    finally:
        os.close(place)


def _at(
    place: int, directory: Directory, below: set[bytes], tars: Sequence[int], marks: Marks
) -> Iterator[bytes]:
    own = directory.path + b"/" if directory.path else b""
    if not _is_as(os.fstat(place), directory.node):
        yield directory.path
    names = [os.fsencode(name) for name in os.listdir(place)]
    there = {name: os.stat(name, dir_fd=place, follow_symlinks=False) for name in names}
    expected = {*directory.gone, *below, *(name for name, _ in (*directory.inodes, *directory.links))}
    if marks == "user":  # where no device can be made
        expected -= {name for name, node in directory.inodes if stat.S_IFMT(node.mode) in _DEVICES}
    for name in sorted(expected ^ there.keys()):
        yield own + name
    for name, node in directory.inodes:
        if name in there and not (_is_as(there[name], node) and _holds(place, name, node, tars)):
            yield own + name


def _is_as(status: os.stat_result, node: Node) -> bool:
    """Whether an inode has the type, mode, owner, time and size that its layer says."""
    if status.st_mode != node.mode or not _has_time(status.st_mtime_ns, node):
        return False
    if os.geteuid() == 0 and (status.st_uid, status.st_gid) != (node.uid, node.gid):
        return False
    return status.st_size == node.size if stat.S_ISREG(node.mode) else status.st_rdev == node.rdev


def _has_time(found: int, node: Node) -> bool:
    """Whether a time is a node's, as far as every file system can have it."""
    if node.mtime not in _TIMES:
        return True
    seconds, rest = divmod(found, 1_000_000_000)
    return seconds == node.mtime and rest in (node.nsec, 0)


def _holds(place: int, name: bytes, node: Node, tars: Sequence[int]) -> bool:
    """Whether a file has the bytes of its layer, a link its target."""
    if stat.S_ISLNK(node.mode):
        return os.readlink(name, dir_fd=place) == node.link
    if not stat.S_ISREG(node.mode) or not tars:
        return True
    tar, at, position = tars[node.layer], node.offset, 0
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=place)
    try:
        for start, length in node.sparse if node.sparse is not None else ((0, node.size),):
            hole = _same(file, position, None, 0, start - position)
            if not (hole and _same(file, start, tar, at, length)):
                return False
            at, position = at + length, start + length
        return _same(file, position, None, 0, node.size - position)
    finally:
        os.close(file)


def _same(one: int, at: int, other: int | None, begin: int, size: int) -> bool:
    """Whether two ranges hold the same bytes; without `other`, whether one holds zeros."""
    done = 0
    while done < size:
        length = min(_CHUNK, size - done)
        data = os.pread(one, length, at + done)
        if data != (bytes(length) if other is None else os.pread(other, length, begin + done)):
            return False
        done += length
    return True
