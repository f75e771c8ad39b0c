"""Leases: a running command's claim on blobs and layers that no image holds yet.

A lease lives as long as its file is locked; the kernel drops the lock when the process dies, however it
dies. Take the lease first, then look whether something exists: a removal leaves alone what is claimed, so
what is found after that stays.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator

from millefeuille import files
from millefeuille.annotations import Final, TypeVar
from millefeuille.errors import Unavailable
from millefeuille.oci.digest import Digest
from millefeuille.store.disk import Disk
from millefeuille.store.transaction import Transaction, writing
from millefeuille.values import dataclass

T = TypeVar("T")

_LOOKS: Final = 20


class Unsettled(Unavailable):
    """What is looked for is another one whenever it is looked at."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A live lease; `claim` adds to it."""

    id: str
    disk: Disk
    purpose: str

    def claim(self, items: Iterable[Digest]) -> None:
        """Keep these blobs and layers (by digest or diff ID). Raises as `writing` does."""
        with writing(self.disk) as tx:
            claim(tx, self, items)


def claim(tx: Transaction, lease: Lease, items: Iterable[Digest]) -> None:
    """Add to a lease within a transaction."""
    row = (lease.id, lease.purpose, os.getpid(), time.time_ns())
    tx.execute("INSERT OR IGNORE INTO leases VALUES (?,?,?,?)", row)
    rows = [(lease.id, str(item)) for item in items]
    tx.executemany("INSERT OR IGNORE INTO lease_items VALUES (?,?)", rows)


@contextlib.contextmanager
def lease(disk: Disk, purpose: str, items: Iterable[Digest] = ()) -> Iterator[Lease]:
    """Hold a lease for the length of the block. Its rows go with `release`, or with the next sweep.

    One that claims nothing yet has no rows, and costs no sync.
    """
    held, claims = Lease(os.urandom(16).hex(), disk, purpose), list(items)
    path = f"{disk.leases}/{held.id}"
    descriptor = -1
    try:
        with writing(disk) as tx:
            # Under the writers' lock: a sweep must not find the file before it is locked.
            descriptor = files.create(path)
            files.lock(descriptor, f"the lease {held.id}")  # who rehearses may be looking at it
            if claims:
                claim(tx, held, claims)
        yield held
    finally:
        if descriptor >= 0:
            files.unlink(path)
            files.release(descriptor)


@contextlib.contextmanager
def upheld(
    disk: Disk, purpose: str, look: Callable[[], T], claims: Callable[[T], Iterable[Digest]]
) -> Iterator[tuple[T, Lease]]:
    """What `look` finds, and a lease for the length of the block on what that needs: it is there throughout.

    It is looked for again under the lease: a name may have got another image in between, and the one before
    may have been removed. Raises what `look` does, Unsettled.
    """
    claimed = {*claims(look())}
    with lease(disk, purpose, claimed) as held:
        yield settled(held, look, claims, claimed), held


def settled(
    held: Lease, look: Callable[[], T], claims: Callable[[T], Iterable[Digest]],
    claimed: Iterable[Digest] = (),
) -> T:  # fmt: skip
    """What `look` finds, once all that it needs is claimed by the lease, as `claimed` is already.

    Raises what `look` does, Unsettled.
    """
    known = {*claimed}
    for _ in range(_LOOKS):
        found = look()
        missing = {*claims(found)} - known
        if not missing:
            return found
        held.claim(missing)
        known |= missing
    raise Unsettled(f"{held.purpose}: another one at each of {_LOOKS} looks")


def release(tx: Transaction, held: Lease) -> None:
    """Drop a lease's rows, in the transaction that makes its items an image's own."""
    tx.execute("DELETE FROM leases WHERE id = ?", (held.id,))


def sweep(tx: Transaction) -> set[str]:
    """Drop the leases of dead processes; the items that live ones claim.

    Runs in a writing transaction: no lease can appear meanwhile. A rehearsal leaves the files.
    """
    disk = tx.disk
    known = {row[0] for row in tx.execute("SELECT id FROM leases")}
    names = known | set(os.listdir(disk.leases))
    alive = {name for name in names if _is_alive(f"{disk.leases}/{name}", clears=not tx.is_rehearsal)}
    for name in known - alive:
        tx.execute("DELETE FROM leases WHERE id = ?", (name,))
    return {row[0] for row in tx.execute("SELECT item FROM lease_items")}


def anyone(disk: Disk, *, clears: bool = True) -> bool:
    """True when some process holds a lease, whether or not the database knows it. Needs db.lock, unless it
    leaves the files of the dead where they are (`clears` False).
    """
    return any(_is_alive(f"{disk.leases}/{name}", clears=clears) for name in os.listdir(disk.leases))


def _is_alive(path: str, *, clears: bool) -> bool:
    """Whether somebody holds the lock of a lease file; with `clears`, a file nobody holds is removed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        # A shared one: another who looks is nobody who holds it.
        if not files.try_lock(descriptor, shared=True):
            return True
        if clears:
            files.unlink(path)
        return False
    finally:
        files.release(descriptor)
