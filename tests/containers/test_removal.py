"""Removals beside each other: the second finds the container gone, and says so."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from millefeuille import files
from millefeuille.containers import removal
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.oci.digest import Digest
from millefeuille.store.containers import NoSuchContainer
from millefeuille.store.store import Store

ID = "0" * 64
GONE = "^No such container: one$"


@pytest.fixture
def host(tmp_path: Path) -> Any:
    """A host that knows no container any more, whatever is left of its directory."""
    store = Store(str(tmp_path / "store"))
    store.create()
    with store.writing():
        pass
    return SimpleNamespace(store=store, place=Place(store.disk.root, str(tmp_path / "run")))


def found() -> Container:
    """The container as it was before somebody removed it."""
    return Container(
        id=ID, name="one", created="", image=Digest.of(b""), chain=None, layers=(), path="", args=(),
        platform="", config={}, host_config={},
    )  # fmt: skip


def test_one_that_was_removed_between_two_looks(host: Any) -> None:
    with pytest.raises(NoSuchContainer, match=GONE):
        removal.remove(host, found(), force=True)
    assert os.listdir(host.place.containers) == []


def test_one_that_is_removed_while_its_lock_is_waited_for(host: Any) -> None:
    os.mkdir(host.place.directory(ID))
    lock = files.create(host.place.lock(ID))
    files.lock(lock, "one")
    errors: list[BaseException] = []

    def remove() -> None:
        try:
            removal.remove(host, found())
        except NoSuchContainer as error:
            errors.append(error)

    second = threading.Thread(target=remove)
    second.start()
    second.join(0.1)
    os.rename(host.place.directory(ID), f"{host.store.disk.trash}/one")
    os.close(lock)
    second.join()
    assert [str(error) for error in errors] == ["No such container: one"]
