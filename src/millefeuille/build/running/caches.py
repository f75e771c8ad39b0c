"""Caches: directories of `--mount=type=cache`, which outlive the build.

    <directory>/lock          held while a cache is taken or removed, for a moment
               /<key>/id      what the Dockerfile calls it
                     /<n>.lock   held as long as the copy n is used; its time is that of the last use
                     /<n>        the copy's content; made aside, with its first content, and renamed
               /gone-<any>    about to be removed

Copy 0 is everybody's who shares; of those who want one for themselves each takes the first that is free. The
kernel drops a lock with its process, so a build that was killed leaves its caches as they are, free.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from hashlib import sha256

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.build.running.wish import Cache, ChainTree, Tree
from millefeuille.values import dataclass

_WHAT: Final = "the directory of cache mounts"
_PAUSE: Final = 0.05  # seconds between two looks at a cache that somebody else has
_GONE: Final = "gone-"

# Fills a new cache: is given the descriptor of its directory.
Fill = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCache:
    """A copy of a cache: `size` in bytes on the disk; `used` is when it was last, in seconds since 1970."""

    key: str
    id: str
    copy: int
    size: int
    used: float
    is_in_use: bool


def key(cache: Cache) -> str:
    """What caches are told apart by: the ID, and how a new one begins. No path is made of an ID."""
    begin = None if cache.seed is None else _seed(cache.seed)
    parts = [cache.id or cache.target, cache.mode, cache.uid, cache.gid, begin]
    return sha256(json.dumps(parts).encode()).hexdigest()


def claim(directory: str, cache: Cache, fill: Fill | None, tick: Callable[[], None]) -> tuple[str, int]:
    """The directory of a cache, and the lock that says that it is used, the caller's to keep and to close.

    Waits while others have what cannot be shared; `tick` is called meanwhile, and may end it by raising.
    Raises OSError, and what `fill` raises; then no new cache is there.
    """
    files.make_directories(directory)
    while (found := _taken(directory, cache)) is None:
        tick()
        time.sleep(_PAUSE)
    path, lock = found
    try:
        while not _made(path, cache, fill):
            tick()
            time.sleep(_PAUSE)
    except BaseException:
        files.release(lock)
        raise
    return path, lock


def every(directory: str) -> list[StoredCache]:
    """All copies there are. Raises OSError."""
    if not os.path.isdir(directory):
        return []
    found = []
    for name in sorted(os.listdir(directory)):
        for lock in sorted(_locks(f"{directory}/{name}")):
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                found.append(_told(directory, name, int(lock.removesuffix(".lock"))))
    return found


def prune(directory: str, wanted: Callable[[StoredCache], bool]) -> list[StoredCache]:
    """Remove the copies that are `wanted` gone and that nobody uses; those that were. Raises OSError."""
    removed = []
    for cache in every(directory):
        if wanted(cache) and _remove(directory, cache):
            removed.append(cache)
    clear(directory)
    return removed


def clear(directory: str) -> None:
    """Remove what a removal that was killed has left."""
    names = os.listdir(directory) if os.path.isdir(directory) else []
    for name in names:
        if name.startswith(_GONE):
            files.remove_tree(f"{directory}/{name}")


def _seed(tree: Tree) -> list[str]:
    if isinstance(tree, ChainTree):
        return ["chain", str(tree.chain or ""), tree.path]
    return ["host", tree.path]


def _taken(directory: str, cache: Cache) -> tuple[str, int] | None:
    """A copy's path and its lock; None when the one to have is somebody else's."""
    top = f"{directory}/{key(cache)}"
    with files.locked(f"{directory}/lock", _WHAT):
        files.make_directory(top)
        if not os.path.exists(f"{top}/id"):
            for name in os.listdir(top):
                if name.startswith("id.tmp-"):  # left by a build that was killed
                    files.unlink(f"{top}/{name}")
            files.replace_file(f"{top}/id", (cache.id or cache.target).encode(errors="surrogateescape"))
        for copy in _copies(top, cache):
            lock = files.create(f"{top}/{copy}.lock", exclusive=False)
            if files.try_lock(lock, shared=cache.sharing == "shared"):
                os.utime(lock)
                return f"{top}/{copy}", lock
            os.close(lock)
    return None


def _copies(top: str, cache: Cache) -> Iterator[int]:
    if cache.sharing != "private":
        return iter((0,))
    return iter(range(len(_locks(top)) + 1))


def _made(path: str, cache: Cache, fill: Fill | None) -> bool:
    """Whether the copy is there, made if nobody else is at it."""
    if os.path.isdir(path):
        return True
    lock = files.create(f"{os.path.dirname(path)}/making", exclusive=False)
    try:
        if not files.try_lock(lock):
            return False
        if not os.path.isdir(path):
            _make(path, cache, fill)
        return True
    finally:
        files.release(lock)


def _make(path: str, cache: Cache, fill: Fill | None) -> None:
    new = f"{path}.new"
    files.remove_tree(new)
    files.make_directory(new)
    descriptor = os.open(new, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if fill is not None:
            fill(descriptor)
        else:
            files.change_owner(descriptor, cache.uid, cache.gid)
            files.change_mode(descriptor, cache.mode)
    finally:
        os.close(descriptor)
    files.rename(new, path)


def _locks(top: str) -> list[str]:
    names = os.listdir(top) if os.path.isdir(top) else []
    return [name for name in names if name.endswith(".lock") and name.removesuffix(".lock").isdigit()]


def _told(directory: str, name: str, copy: int) -> StoredCache:
    top = f"{directory}/{name}"
    with open(f"{top}/id", "rb") as file:
        id = file.read().decode(errors="surrogateescape")
    lock = os.open(f"{top}/{copy}.lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        used = os.fstat(lock).st_mtime
        is_in_use = not files.try_lock(lock)
    finally:
        files.release(lock)
    held = {status.st_ino: status.st_blocks for status in files.inodes(f"{top}/{copy}")}
    size = 512 * sum(held.values())
    return StoredCache(key=name, id=id, copy=copy, size=size, used=used, is_in_use=is_in_use)


def _remove(directory: str, cache: StoredCache) -> bool:
    top = f"{directory}/{cache.key}"
    with files.locked(f"{directory}/lock", _WHAT):
        try:
            lock = os.open(f"{top}/{cache.copy}.lock", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            if not files.try_lock(lock):
                return False
            gone = f"{directory}/{_GONE}{os.urandom(8).hex()}"
            files.make_directory(gone)
            for name in (str(cache.copy), f"{cache.copy}.new"):
                if _exists(f"{top}/{name}"):
                    files.rename(f"{top}/{name}", f"{gone}/{name}")
            files.unlink(f"{top}/{cache.copy}.lock")
            if not _locks(top):
                files.rename(top, f"{gone}/top")
        finally:
            files.release(lock)
    files.remove_tree(gone)
    return True


def _exists(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False
