"""Kept roots: what a command that failed left, with what is needed to look around in it.

    <directory>/<id>.json   what was run; as long as it is there, the snapshot <id> is kept
               /<id>.lock   held while somebody is in it
               /lock        held while one is added or removed

Nothing secret is in a record: secrets, agents and proxies are left out. The newest few are kept.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator

from millefeuille import files
from millefeuille.annotations import Final, Protocol
from millefeuille.build.running import record
from millefeuille.build.running.host import RunHost
from millefeuille.build.running.wish import RunWish
from millefeuille.errors import Conflict, NotFound
from millefeuille.snapshots.roots import SnapshotNotFound
from millefeuille.snapshots.snapshotter import Usage
from millefeuille.values import dataclass

_WHAT: Final = "the directory of kept roots"
_MOST: Final = 10
_SHORTEST: Final = 4  # of the characters that a beginning of an ID has


class NoSuchRoot(NotFound):
    """No root is kept under this ID."""


class RootInUse(Conflict):
    """Somebody is in the root."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRoot:
    """The root of a command that failed; `wish` is what it was asked, without what is secret. `failed` is
    when, in seconds since 1970.
    """

    id: str
    wish: RunWish
    failed: float


class Measured(Protocol):
    """What knows how much was written to a root."""

    def usage(self, key: str) -> Usage:
        """That of the root `key`. Raises SnapshotNotFound, OSError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRoot:
    """A kept root as it lies on the disk: `size` in bytes, `failed` in seconds since 1970."""

    id: str
    arguments: tuple[str, ...]
    failed: float
    size: int
    is_in_use: bool


def keep(host: RunHost, id: str, wish: RunWish) -> str:
    """Keep the snapshot `id`; its ID. The oldest go. Raises OSError."""
    files.make_directories(host.kept)
    with _locked(host):
        files.replace_file(host.record(id), record.encoded(wish, time.time()))
    for root in kept_roots(host)[_MOST:]:
        with contextlib.suppress(RootInUse, NoSuchRoot):
            forget(host, root.id)
    return id


def kept_roots(host: RunHost) -> list[KeptRoot]:
    """All that are kept, the newest first. Raises OSError; a damaged record is left out."""
    return _all(host.kept)


def every(directory: str, snapshots: Measured) -> list[StoredRoot]:
    """All whose records lie in `directory`, the newest first. Raises OSError."""
    found = []
    for root in _all(directory):
        with contextlib.suppress(SnapshotNotFound):  # removed meanwhile
            stored = StoredRoot(
                id=root.id, arguments=root.wish.arguments, failed=root.failed,
                size=snapshots.usage(root.id).size, is_in_use=_is_in_use(f"{directory}/{root.id}.lock"),
            )  # fmt: skip
            found.append(stored)
    return found


def find(host: RunHost, text: str) -> KeptRoot:
    """The kept root with this ID, or beginning of an ID. Raises NoSuchRoot."""
    found = [root for root in kept_roots(host) if root.id.startswith(text)]
    if len(text) < _SHORTEST or len(found) != 1:
        raise NoSuchRoot(f"No such failed step: {text}", advice="See `mille build history`.")
    return found[0]


@contextlib.contextmanager
def entered(host: RunHost, id: str) -> Iterator[None]:
    """Have the root to oneself within the block. Raises NoSuchRoot, RootInUse."""
    with _locked(host):
        if not os.path.exists(host.record(id)):
            raise NoSuchRoot(f"No such failed step: {id}")
        lock = files.create(_lock(host, id), exclusive=False)
        if not files.try_lock(lock):
            os.close(lock)
            raise RootInUse(f"somebody is in the root of the failed step {id[:12]}")
    try:
        yield
    finally:
        files.release(lock)


def forget(host: RunHost, id: str) -> None:
    """Remove a kept root. Raises NoSuchRoot, RootInUse, OSError."""
    with entered(host, id):
        # The snapshot goes first: a crash in between leaves a record, which is found again.
        host.snapshots.remove(id)
        files.unlink(host.record(id))
        files.unlink(_lock(host, id))


def prune(host: RunHost, wanted: Callable[[StoredRoot], bool] = lambda root: True) -> list[StoredRoot]:
    """Remove the kept roots that are `wanted` gone and that nobody is in; those that were. Raises OSError."""
    gone = []
    for root in filter(wanted, every(host.kept, host.snapshots)):
        with contextlib.suppress(RootInUse, NoSuchRoot):
            forget(host, root.id)
            gone.append(root)
    return gone


def tidy(host: RunHost) -> None:
    """Remove what a removal that was killed has left. Raises OSError."""
    if not os.path.isdir(host.kept):
        return
    with _locked(host):
        names, roots = os.listdir(host.kept), set(host.snapshots)
        for name in names:
            id, _, kind = name.partition(".")
            is_gone = kind == "json" and id not in roots
            if is_gone:
                host.snapshots.remove(id)  # it may be half gone only
            if is_gone or kind.startswith("json.tmp-") or (kind == "lock" and f"{id}.json" not in names):
                files.unlink(f"{host.kept}/{name}")


def _all(directory: str) -> list[KeptRoot]:
    roots = []
    for name in os.listdir(directory) if os.path.isdir(directory) else ():
        if name.endswith(".json"):
            with contextlib.suppress(NoSuchRoot, record.DamagedRecord):
                roots.append(_read(directory, name.removesuffix(".json")))
    return sorted(roots, key=lambda root: root.failed, reverse=True)


def _is_in_use(path: str) -> bool:
    try:
        lock = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:  # nobody ever was in it
        return False
    try:
        return not files.try_lock(lock)
    finally:
        files.release(lock)


def _read(directory: str, id: str) -> KeptRoot:
    try:
        with open(f"{directory}/{id}.json", "rb") as file:
            wish, failed = record.decoded(file.read())
    except FileNotFoundError:
        raise NoSuchRoot(f"No such failed step: {id}") from None
    return KeptRoot(id=id, wish=wish, failed=failed)


def _lock(host: RunHost, id: str) -> str:
    return f"{host.kept}/{id}.lock"


def _locked(host: RunHost) -> contextlib.AbstractContextManager[int]:
    files.make_directories(host.kept)
    return files.locked(f"{host.kept}/lock", _WHAT)
