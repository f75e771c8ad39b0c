"""Why a database cannot be opened: SQLite says no more than that."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from millefeuille import files
from millefeuille.errors import Failed
from millefeuille.store import database
from millefeuille.store.sqlite import sqlite3
from millefeuille.store.store import Store

LONGEST = 504  # bytes that SQLite takes


def _refused(path: str) -> Failed:
    with pytest.raises(Failed) as refused, database.translated(path):
        database.connect(path).close()
    return refused.value


def _long(directory: Path, length: int) -> str:
    """A path of as many bytes, in a new directory."""
    while len(os.fsencode(directory)) < length - 100:
        directory /= "é" * 40
    directory.mkdir(parents=True)
    return f"{directory}/{'x' * (length - len(os.fsencode(directory)) - 1)}"


def test_a_path_that_is_too_long(tmp_path: Path) -> None:
    number = len(f".new-{os.getpid()}")
    database.connect(_long(tmp_path / "short", LONGEST - number)).close()
    path = _long(tmp_path / "long", LONGEST - number + 1)
    (tmp_path / "link").symlink_to(os.path.dirname(path))
    for one in (path, f"{tmp_path}/link/{os.path.basename(path)}"):
        error = _refused(one)
        assert type(error) is Failed
        assert str(error).endswith(": a longer path than SQLite takes")
        assert error.advice == "Choose a shorter one with --root or MILLE_ROOT."


def test_no_more_descriptors(store: Store) -> None:
    store.create()
    with store.writing():
        pass
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        error = _refused(store.disk.database)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert (type(error), str(error)) == (Failed, f"{store.disk.database}: too many open files")


def test_a_directory_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "db.sqlite"
    path.mkdir()
    error = _refused(str(path))
    assert (type(error), str(error)) == (Failed, f"{path}: unable to open database file")


def test_a_journal_that_cannot_be_made(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.create()
    with store.writing():
        pass
    path, words = store.disk.database, "unable to open database file"
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)  # root may do all
    with pytest.raises(files.ReadOnlyStore, match=f"^{path}: {words}$") as refused, database.translated(path):
        raise sqlite3.OperationalError(words)
    assert refused.value.advice == "Choose a writable store with --root or MILLE_ROOT."
