"""Transaction: the one way to change the database, and the order in which a change becomes durable.

    flock(db.lock) → BEGIN IMMEDIATE → finish pending removals → the caller's statements
                   → index.json under a temporary name → COMMIT → rename it → rename what is to be removed
                   into trash/ → release the flock → unlink the trash

All that needs room is written before COMMIT, so that a full disk takes everything back.

Files that rows speak of are on the disk, synced, before the transaction begins. A crash before COMMIT
leaves the old rows; a crash after it leaves rows in `deleting` and an index.json that is behind, and the
next transaction finishes both.

Lock order: ingest locks (by digest) → db.lock → SQLite. No network, hashing or tar work happens inside.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from millefeuille import files
from millefeuille.errors import MilleError
from millefeuille.store import database, forks, mirror
from millefeuille.store.disk import Disk, NoStore
from millefeuille.store.sqlite import sqlite3


class Transaction:
    """Statements on one consistent state of the database. `execute` is SQLite's own.

    One that `is_rehearsal` changes a copy alone: files are to be looked at and no more, and others write
    meanwhile.
    """

    is_rehearsal = False

    def __init__(self, connection: sqlite3.Connection, disk: Disk) -> None:
        self.execute = connection.execute
        self.executemany = connection.executemany
        self.disk = disk
        self.changed_names = False
        self.doomed: list[str] = []
        self.dropped: list[str] = []

    def doom(self, path: str) -> None:
        """Remove the file or directory at `path` when this transaction has been committed."""
        self.execute("INSERT OR IGNORE INTO deleting (path) VALUES (?)", (_kept(path),))
        self.doomed.append(path)

    def drop(self, path: str) -> None:
        """The same for what is found again by its name alone: a crash may leave it to a sweep of its kind,
        and nobody writes down that it went.
        """
        self.dropped.append(path)


class Rehearsal(Transaction):
    """What would be changed. The removals that others have yet to finish are `doomed` from the beginning."""

    is_rehearsal = True

    def __init__(self, copy: sqlite3.Connection, disk: Disk, source: sqlite3.Connection) -> None:
        super().__init__(copy, disk)
        self._source = source
        self._version = self._now()
        self.doomed += [os.fsdecode(row[0]) for row in self.execute("SELECT path FROM deleting")]

    def is_outdated(self) -> bool:
        """Whether somebody has changed the database since the copy was made, and perhaps files."""
        return self._now() != self._version

    def _now(self) -> int:
        # Source: SQLite "PRAGMA data_version": another number after another connection's commit.
        version: int = self._source.execute("PRAGMA data_version").fetchone()[0]
        return version


@contextlib.contextmanager
def writing(disk: Disk, *, emergency: bool = False) -> Iterator[Transaction]:
    """A transaction that changes things; committed when the block ends without an exception.

    `emergency` gives up the ballast first: a removal must work on a full disk.
    Raises LockTimeout, BrokenDatabase, DiskFull, ReadOnlyStore, ForkedAmid.
    """
    forks.check(disk.database)  # before others would have to wait for what cannot be
    what = f"the store {disk.root}"
    with files.explained(what, root=disk.root), files.locked(disk.lock, what):
        with database.translated(disk.database):
            _refuse_lost(disk)
            connection = database.connect(disk.database)
            try:
                if emergency and _is_tight(disk.root):
                    files.unlink(disk.ballast)
                transaction = Transaction(connection, disk)
                connection.execute("BEGIN IMMEDIATE")
                _finish_removals(transaction)
                yield transaction
                _commit(connection, transaction)
                trashed = _throw_away(disk, transaction.doomed)
                if trashed:
                    connection.execute("DELETE FROM deleting")
                trashed += _throw_away(disk, transaction.dropped)
            finally:
                connection.close()
    for path in trashed:
        files.remove_tree(path)
    if emergency:
        disk.keep_ballast()


@contextlib.contextmanager
def together(disk: Disk, *, emergency: bool = False) -> Iterator[None]:
    """Many transactions within the block, by this process: index.json is written once when it ends, since it
    tells of all images each time. A crash within leaves it behind, as one after any COMMIT does.

    Raises as `writing` does.
    """
    disk.lagging = True
    try:
        yield
    except BaseException:
        disk.lagging = False
        with contextlib.suppress(MilleError):  # the next transaction of any command finds it behind
            _catch_up(disk, emergency)
        raise
    disk.lagging = False
    _catch_up(disk, emergency)


def _catch_up(disk: Disk, emergency: bool) -> None:
    if disk.behind:
        with writing(disk, emergency=emergency):
            pass


@contextlib.contextmanager
def reading(disk: Disk) -> Iterator[Transaction]:
    """One consistent state to look at. Raises NoStore, BrokenDatabase, ForkedAmid."""
    with _read(disk) as connection:
        connection.execute("BEGIN")
        yield Transaction(connection, disk)


@contextlib.contextmanager
def rehearsing(disk: Disk) -> Iterator[Rehearsal]:
    """A copy in memory of one consistent state, where anything can be done as in `writing`: nothing comes of
    it, and no writer waits. Raises as `reading` does, and what a disk's failure is.
    """
    with files.explained(f"the store {disk.root}", root=disk.root), _read(disk) as connection:
        connection.execute("BEGIN")
        with contextlib.closing(database.copied(connection)) as copy:
            rehearsal = Rehearsal(copy, disk, connection)
            connection.execute("COMMIT")
            copy.execute("BEGIN")
            yield rehearsal


@contextlib.contextmanager
def _read(disk: Disk) -> Iterator[sqlite3.Connection]:
    is_new = not os.path.exists(disk.database)
    if is_new:
        _refuse_lost(disk)
        if not disk.exists():
            raise NoStore(f"{disk.root}: no store here")
    with database.translated(disk.database):
        # A first command that failed or was killed leaves directories without a database.
        connection = database.blank() if is_new else database.connect(disk.database)
        try:
            yield connection
        finally:
            connection.close()


def has_lost_database(disk: Disk) -> bool:
    """Whether there must have been a database: blobs come after it, and index.json too."""
    if os.path.exists(disk.database):
        return False
    directories = (disk.blobs("sha256"), disk.blobs("sha512"))
    return mirror.written(disk.index) > 0 or any(
        os.path.isdir(directory) and os.listdir(directory) for directory in directories
    )


def _refuse_lost(disk: Disk) -> None:
    """A new, empty database beside a full image layout would make everything in it look unused."""
    if has_lost_database(disk):
        raise database.BrokenDatabase(
            f"{disk.database}: missing, but there are images",
            advice="Rebuild it with `mille system check --repair`.",
        )


def _commit(connection: sqlite3.Connection, transaction: Transaction) -> None:
    if transaction.changed_names:
        connection.execute(
            "INSERT INTO meta VALUES ('sequence', 1)"
            " ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
        )
    disk = transaction.disk
    mirrored = "" if disk.lagging else mirror.written_beside(connection.execute, disk.index)
    try:
        files.act("commit", disk.database)
        connection.execute("COMMIT")
    except BaseException:
        if mirrored:
            files.unlink(mirrored)
        raise
    files.act("committed", disk.database)
    if mirrored:
        files.put_in_place(mirrored, disk.index)
    disk.behind = disk.lagging


def _kept(path: str) -> str | bytes:
    """A path as a row has it: as bytes where these are no text, for a store may lie anywhere."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def _finish_removals(transaction: Transaction) -> None:
    """Do what an earlier removal promised. Nobody can have come to need these files since: whoever does
    says so in a transaction of its own before it looks at the disk, and that one passes here first.
    """
    paths = [os.fsdecode(row[0]) for row in transaction.execute("SELECT path FROM deleting")]
    for path in _throw_away(transaction.disk, paths):
        files.remove_tree(path)
    if paths:
        transaction.execute("DELETE FROM deleting")


def _throw_away(disk: Disk, paths: list[str]) -> list[str]:
    trashed = []
    for path in paths:
        trash = f"{disk.trash}/{os.urandom(16).hex()}"
        try:
            files.rename(path, trash)
        except FileNotFoundError:
            continue
        trashed.append(trash)
    return trashed


def _is_tight(root: str) -> bool:
    free = os.statvfs(root)
    return free.f_bavail * free.f_frsize < 2 * 1024 * 1024 or free.f_favail < 16
