"""Database: one SQLite file, few and short transactions, one writer at a time.

Writers take the flock of `db.lock` before SQLite's own locks: whoever waits looks again every few
milliseconds, and what belongs to a commit (renames to the trash, the mirror in index.json) happens before the
next writer begins. The file is never opened by anything but SQLite: closing a second descriptor would drop
SQLite's locks.

Source: SQLite "File Locking And Concurrency", "How To Corrupt An SQLite Database File", section 2.2.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from millefeuille import files
from millefeuille.errors import Corrupt, Failed, Unsupported
from millefeuille.store import forks
from millefeuille.store.schema import SCHEMA, VERSION
from millefeuille.store.sqlite import sqlite3

# What SQLite says of a database whose structure, or whose words for it, have become others.
_DAMAGE = (
    "malformed", "no such column", "no such table", "Could not decode", "unsupported file format",
)  # fmt: skip
_ADVICE = "Rebuild it with `mille system check --repair`."
_BUSY = 60.0  # seconds a reader waits for a commit in progress
_LONGEST = 504  # bytes of a path: SQLite's MAX_PATHNAME without the journal's "-journal"
_FILES = 3  # that SQLite has open at once: the database, its journal and their directory


class BrokenDatabase(Corrupt):
    """The database file cannot be read; it can be rebuilt."""


class OlderDatabase(BrokenDatabase):
    """An earlier version of this engine wrote the database; it can be rebuilt."""


class NewerDatabase(Unsupported):
    """A later version of this engine wrote the database."""


def connect(path: str) -> sqlite3.Connection:
    """Open the database, making its tables when the file is new.

    Raises BrokenDatabase, OlderDatabase, NewerDatabase, ForkedAmid, and what a disk's failure is: DiskFull,
    ReadOnlyStore, Failed.
    """
    forks.check(path)
    if not os.path.exists(path):
        _create(path)
    connection = _open(path)
    try:
        with translated(path):
            version = connection.execute("PRAGMA user_version").fetchone()[0]
    except BaseException:
        connection.close()
        raise
    if version != VERSION:
        connection.close()
        if version > VERSION:
            raise NewerDatabase(
                f"{path}: format {version} is newer than this engine's {VERSION}",
                advice="Update millefeuille.",
            )
        if version:  # none is in a file of something else
            raise OlderDatabase(
                f"{path}: format {version} is older than this engine's {VERSION}", advice=_ADVICE
            )
        raise broken(path, None)
    return connection


def blank() -> sqlite3.Connection:
    """An empty database in memory: what there is to read of a store that nothing was recorded in yet."""
    connection = sqlite3.connect(":memory:", isolation_level=None, factory=forks.Connection)
    connection.executescript(SCHEMA)
    return connection


def copied(connection: sqlite3.Connection) -> sqlite3.Connection:
    """A copy in memory of what a connection reads, with the same rules."""
    copy = sqlite3.connect(":memory:", isolation_level=None, factory=forks.Connection)
    try:
        connection.backup(copy)
        _set_rules(copy)
    except BaseException:
        copy.close()
        raise
    return copy


def _set_rules(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA trusted_schema=OFF")


@contextlib.contextmanager
def translated(path: str) -> Iterator[None]:
    """Turn SQLite's errors into ours: a full disk, a file that is no database. What a disk refuses says
    nothing of what is on it.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        if "full" in str(error):
            raise files.explain(OSError(errno.ENOSPC, str(error), path), path, root=path) from error
        if "disk I/O error" in str(error):
            raise Failed(f"{path}: {error}") from error
        if "unable to open" in str(error):
            raise _unopened(path, error) from error
        if "readonly" in str(error):
            raise _read_only(path, error) from error
        if "locked" in str(error):
            raise files.LockTimeout(f"{path}: held by another process for too long") from error
        if not any(words in str(error) for words in _DAMAGE):
            raise
        raise broken(path, error) from error
    except (sqlite3.ProgrammingError, sqlite3.IntegrityError):
        raise
    except sqlite3.DatabaseError as error:
        raise broken(path, error) from error


@contextlib.contextmanager
def making(path: str) -> Iterator[None]:
    """Turn SQLite's errors on a new database into ours, and leave nothing of it where it cannot be made."""
    try:
        with translated(path):
            yield
    except BaseException:
        for name in (path, f"{path}-journal"):
            with contextlib.suppress(OSError):
                files.unlink(name)
        raise


def _open(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"file:{_quoted(path)}?mode={'rw' if os.access(path, os.W_OK) else 'ro'}",
        uri=True, timeout=_BUSY, isolation_level=None, check_same_thread=False,
        factory=forks.Connection,
    )  # fmt: skip
    try:
        with translated(path):
            connection.execute("PRAGMA synchronous=FULL")
            _set_rules(connection)
            connection.execute("PRAGMA journal_mode=TRUNCATE")
    except BaseException:
        connection.close()
        raise
    return connection


def _create(path: str) -> None:
    """Make the file under another name first, so that nobody ever sees it without its tables.

    Only writers come here, one at a time.
    """
    temporary = f"{path}.new-{os.getpid()}"
    files.unlink(temporary)
    os.close(files.create(temporary))
    with making(temporary), contextlib.closing(_open(temporary)) as connection:
        connection.executescript(f"BEGIN;{SCHEMA}PRAGMA user_version={VERSION};COMMIT;")
    files.unlink(f"{temporary}-journal")
    files.rename(temporary, path)
    files.sync_directory(os.path.dirname(path))


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def _unopened(path: str, error: Exception) -> Failed:
    """Why SQLite could not open the database, or what belongs to it: it says no more than that."""
    if len(os.fsencode(os.path.realpath(path))) > _LONGEST:
        message = f"{path}: a longer path than SQLite takes"
        return Failed(message, advice="Choose a shorter one with --root or MILLE_ROOT.")
    directory = os.path.dirname(path)
    try:
        os.stat(path)
        with contextlib.ExitStack() as stack:
            for _ in range(_FILES):
                # No descriptor of the file itself, whose closing would drop SQLite's locks.
                stack.callback(os.close, os.open(directory, os.O_PATH | os.O_CLOEXEC))
    except OSError as reason:
        return files.explain(reason, path, root=directory)
    if os.access(path, os.R_OK) and os.access(directory, os.W_OK | os.X_OK):
        return Failed(f"{path}: {error}")
    return _read_only(path, error)


def _read_only(path: str, error: Exception) -> files.ReadOnlyStore:
    advice = "Choose a writable store with --root or MILLE_ROOT."
    return files.ReadOnlyStore(f"{path}: {error}", advice=advice)


def broken(path: str, error: Exception | str | None) -> BrokenDatabase:
    """The error that says so, and what to do."""
    reason = f" ({error})" if error else ""
    return BrokenDatabase(f"{path}: not a readable database{reason}", advice=_ADVICE)
