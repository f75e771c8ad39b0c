"""What a store holds: every file's bytes, and the database without times, so that two can be compared."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from contextlib import closing

from millefeuille.images.prune import prune
from millefeuille.images.users import Nobody
from millefeuille.store.chains import Prepare
from millefeuille.store.check import check
from millefeuille.store.mirror import SEQUENCE, TAGGED
from millefeuille.store.repair import repair
from millefeuille.store.schema import LOGICAL
from millefeuille.store.store import Store

# The database is compared by its content; what the journal tells of has happened all the same.
_CHANGING = {"db.sqlite", "db.sqlite-journal", "db.lock", "journal", "journal.1"}
State = tuple[dict[str, tuple[int, str]], dict[str, list[tuple[object, ...]]]]


def files_of(root: str) -> dict[str, tuple[int, str]]:
    """Mode and hash of every file and the mode of every directory, by path; index.json without times.

    What a repair set aside is not the store's any more.
    """
    found: dict[str, tuple[int, str]] = {}
    for directory, names, plain in os.walk(root):
        names[:] = [name for name in names if name != "lost+found"]
        for name in names:
            path = f"{directory}/{name}"
            found[os.path.relpath(path, root) + "/"] = (os.stat(path).st_mode, "")
        for name in plain:
            path = f"{directory}/{name}"
            if name not in _CHANGING:
                found[os.path.relpath(path, root)] = (os.stat(path).st_mode, _hash(path))
    return found


def _hash(path: str) -> str:
    with open(path, "rb") as file:
        data = file.read()
    if os.path.basename(path) == "index.json":
        document = json.loads(data)
        document["annotations"].pop(SEQUENCE)
        for entry in document["manifests"]:
            entry["annotations"].pop(TAGGED, None)
        data = json.dumps(document, sort_keys=True).encode()
    return hashlib.sha256(data).hexdigest()


def dump(database: str) -> dict[str, list[tuple[object, ...]]]:
    """The logical content of a database: what two stores with the same images agree on."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return {
            table: sorted(connection.execute(f"SELECT {columns} FROM {table}"), key=repr)
            for table, columns in LOGICAL.items()
        }


def state(store: Store) -> State:
    """Files and dump."""
    return files_of(store.disk.root), dump(store.disk.database)


def recover(store: Store, prepare: Prepare | None = None) -> None:
    """What a person does after an accident: `system check --repair`, then one `image prune`."""
    if store.exists():
        repair(store, check(store, data=True), data=True, prepare=prepare)
        tidy(store)


def tidy(store: Store) -> None:
    """One `image prune`."""
    prune(store, Nobody(), lambda image: True)


def make_again(store: Store, prepare: Prepare | None = None) -> State:
    """The state of a store that has no database any more and gets it back."""
    os.unlink(store.disk.database)
    recover(store, prepare)
    return state(store)
