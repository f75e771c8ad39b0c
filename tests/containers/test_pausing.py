"""Held while it is looked at, and let go on however that ends."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from millefeuille.containers import records
from millefeuille.containers.pausing import Freezing, WrongState, pause, paused, unpause
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.containers.state import State
from millefeuille.errors import Failed
from millefeuille.oci.digest import Digest
from millefeuille.store.journal import Reader
from millefeuille.store.store import Store


class Monitor:
    """Does with frames what a container's monitor does, and is its runtime, too."""

    def __init__(self, top: Path) -> None:
        self.place = Place(str(top / "store"), str(top / "run"))
        self.store = Store(str(top / "store"))
        self.store.create()
        self.container = Container(
            id="c" * 64, name="it", created="", image=Digest("sha256", "0" * 64), chain=None, layers=(),
            path="sh", args=(), platform="linux/amd64", config={}, host_config={},
        )  # fmt: skip
        self.done: list[str] = []
        self.holds: list[bool] = []
        self.parts = Freezing(store=self.store, place=self.place, runtime=self)
        for path in (self.place.directory(self.container.id), self.place.bundle(self.container.id)):
            os.makedirs(path)
        self._lock = os.open(self.place.lock(self.container.id), os.O_RDWR | os.O_CREAT)
        self._listener = socket.socket(socket.AF_UNIX)
        self._threads: list[threading.Thread] = []

    def begin(self) -> None:
        records.files.try_lock(self._lock)
        self.note("running")
        directory = os.open(self.place.bundle(self.container.id), os.O_PATH)
        self._listener.bind(f"/proc/self/fd/{directory}/attach.sock")
        os.close(directory)
        self._listener.listen()
        thread = threading.Thread(target=self._accept)
        thread.start()
        self._threads.append(thread)

    def end(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()
        os.close(self._lock)

    def end_of_talk(self) -> None:
        """Wait until all that was said has been taken note of."""
        deadline = time.monotonic() + 5
        while self.holds.count(False) < self.holds.count(True) and time.monotonic() < deadline:
            time.sleep(0.001)

    def note(self, status: str) -> None:
        records.save_state(self.place, self.container.id, State(status=status, pid=1))

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(6):
                    if data[:1] == b"h":
                        self.holds.append(data[5:] == b"1")
                        continue
                    assert data[:1] == b"p"
                    self.note("paused" if data[5:] == b"1" else "running")

    def pause(self, id: str) -> None:
        self.done.append("pause")

    def resume(self, id: str) -> None:
        self.done.append("resume")

    @property
    def status(self) -> str:
        return records.state(self.place, self.container.id).status

    def await_status(self, status: str) -> None:
        deadline = time.monotonic() + 5
        while self.status != status:
            assert time.monotonic() < deadline
            time.sleep(0.001)

    @property
    def told(self) -> list[str]:
        return [each.action for each in Reader(self.store.disk.journal).fresh()]


@pytest.fixture
def monitor(tmp_path: Path) -> Iterator[Monitor]:
    monitor = Monitor(tmp_path)
    monitor.begin()
    yield monitor
    monitor.end()


def test_pause_and_unpause(monitor: Monitor) -> None:
    pause(monitor.parts, monitor.container)
    assert monitor.status == "paused"
    with pytest.raises(WrongState, match="is already paused"):
        pause(monitor.parts, monitor.container)
    unpause(monitor.parts, monitor.container)
    assert monitor.status == "running"
    with pytest.raises(WrongState, match="is not paused"):
        unpause(monitor.parts, monitor.container)
    assert (monitor.done, monitor.told) == (["pause", "resume"], ["pause", "unpause"])


def test_held_for_a_block_however_it_ends(monitor: Monitor) -> None:
    for _ in range(20):
        with pytest.raises(Failed), paused(monitor.parts, monitor.container):
            assert monitor.done[-1] == "pause"
            raise Failed("in the block")
        assert monitor.done[-1] == "resume"
        monitor.await_status("running")
    assert len(monitor.done) == 40
    monitor.end_of_talk()
    assert monitor.holds == [True, False] * 20


def test_one_that_is_paused_already_stays_so(monitor: Monitor) -> None:
    pause(monitor.parts, monitor.container)
    with paused(monitor.parts, monitor.container):
        pass
    assert (monitor.status, monitor.done) == ("paused", ["pause"])


def test_one_that_does_not_run_is_left_alone(monitor: Monitor) -> None:
    monitor.note("exited")
    with paused(monitor.parts, monitor.container):
        pass
    assert monitor.done == []
    with pytest.raises(WrongState, match="is not running"):
        pause(monitor.parts, monitor.container)


def test_one_that_cannot_be_resumed_any_more(monitor: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(id: str) -> None:
        raise Failed("no such container")

    monkeypatch.setattr(monitor, "resume", refuse)
    with paused(monitor.parts, monitor.container):
        pass
    assert monitor.told == ["pause"]
