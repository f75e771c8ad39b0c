"""A process beside one that ends just then: what goes wrong does so for that, and is told so."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from millefeuille import files
from millefeuille.containers import execution, records
from millefeuille.containers.execution import Command, NotExecutable, execute_detached
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.containers.restarting import ContainerRestarting
from millefeuille.containers.state import State
from millefeuille.oci.digest import Digest
from millefeuille.runtime.runtime import ExecFailed
from millefeuille.store.containers import NoSuchContainer

ID = "0" * 64
RUNS = State(status="running", pid=7)
GONE = State(status="exited")


@pytest.fixture
def executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Execute something in a container of which `states` are told one after the other, the last from then on.
    `bundle`: its bundle is there; `recorded`: the database knows it.
    """
    place = Place(str(tmp_path), str(tmp_path / "run"))

    def fail(*given: object) -> int:
        raise ExecFailed("exec failed: container does not exist")

    def run(*states: State, bundle: bool = True, recorded: bool = True) -> None:
        told = itertools.chain(states, itertools.repeat(states[-1]))
        monkeypatch.setattr(records, "state", lambda place, id: next(told))
        monkeypatch.setattr(records, "is_recorded", lambda store, id: recorded)
        monkeypatch.setattr(execution, "_document", lambda *given: {})
        monkeypatch.setattr(execution, "_tell", lambda *given: None)
        if bundle:
            files.make_directories(place.bundle(ID))
        host: Any = SimpleNamespace(place=place, store=None, runtime=SimpleNamespace(exec_detached=fail))
        container = Container(
            id=ID, name="one", created="", image=Digest.of(b""), chain=None, layers=(), path="", args=(),
            platform="", config={}, host_config={},
        )  # fmt: skip
        try:
            execute_detached(host, container, Command(words=("true",)))
        finally:
            assert not bundle or os.listdir(place.bundle(ID)) == []

    return run


@pytest.mark.parametrize("bundle", [True, False])
@pytest.mark.parametrize(
    "states", [(RUNS, GONE), (RUNS, RUNS, RUNS, GONE), (RUNS, State(status="running", pid=8))]
)
def test_one_that_has_ended(executed: Callable[..., None], states: tuple[State, ...], bundle: bool) -> None:
    with pytest.raises(NotExecutable, match=f"^container {ID} is not running$"):
        executed(*states, bundle=bundle)


def test_one_that_was_removed(executed: Callable[..., None]) -> None:
    with pytest.raises(NoSuchContainer, match=r"^No such container: one$"):
        executed(RUNS, State(), bundle=False, recorded=False)


def test_one_that_waits_for_its_next_start(executed: Callable[..., None]) -> None:
    with pytest.raises(ContainerRestarting):
        executed(RUNS, State(status="restarting"))


def test_one_that_runs_on(executed: Callable[..., None]) -> None:
    with pytest.raises(ExecFailed, match="container does not exist"):
        executed(RUNS)
