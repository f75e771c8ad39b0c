"""Work in an interpreter of its own: what goes there, what comes back, and how it ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from millefeuille import errors
from millefeuille.api.apart import NoInterpreter, apart, stay_with_caller
from millefeuille.build.running.failure import StepFailed
from millefeuille.errors import Conflict, Failed
from millefeuille.oci.digest import Digest
from millefeuille.store.names import NoSuchImage

PATIENCE = 10.0  # seconds until a process has ended
Tell = Callable[[object], None]


def facts(number: int, tell: Tell | None) -> tuple[int, int, int, str]:
    """Where it is done, with how many threads."""
    assert tell is None
    return os.getpid(), number + 1, threading.active_count(), os.getcwd()


def count(end: int, tell: Tell) -> None:
    """Tell from several threads."""
    threads = [threading.Thread(target=tell, args=((n, Digest.of(b"x")),)) for n in range(end)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def fail(which: str, tell: Tell | None) -> None:
    """Fail in different ways."""
    if which == "kind":
        raise NoSuchImage("No such image: a", advice="Pull it.")
    if which == "made of other things":
        raise StepFailed(("sh", "-c", "exit 3"), 3, kept="abc", lines=[b"line"])
    if which == "the system's":
        os.stat("/nothing/here")
    if which == "full of what stays there":
        error = Conflict("in use", advice="Wait.")
        error.lock = threading.Lock()  # type: ignore[attr-defined]
        raise error
    os.kill(os.getpid(), signal.SIGKILL)


def stay(path: str, tell: Tell) -> None:
    """Be interrupted."""
    stay_with_caller()
    try:
        tell(os.getpid())
        for _ in range(1000):  # one long sleep may begin just when the interrupt has come, and not hear of it
            time.sleep(0.1)
    except KeyboardInterrupt:
        Path(path).write_text("tidied")
        raise


def test_a_value_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()  # it makes no difference
    try:
        number, value, threads, directory = apart(facts, 4)
    finally:
        release.set()
        thread.join()
    assert number != os.getpid()
    assert (value, threads, directory) == (5, 1, str(tmp_path))


def test_events_arrive_one_by_one_in_the_thread_that_waits() -> None:
    told: list[tuple[Any, int]] = []
    apart(count, 20, tell=lambda event: told.append((event, threading.get_ident())))
    assert sorted(event for (event, _), _ in told) == [*range(20)]
    assert {digest for (_, digest), _ in told} == {Digest.of(b"x")}
    assert {thread for _, thread in told} == {threading.get_ident()}


def test_errors_are_what_they_were() -> None:
    with pytest.raises(NoSuchImage, match=r"^No such image: a$") as missing:
        apart(fail, "kind")
    assert missing.value.advice == "Pull it."
    with pytest.raises(StepFailed, match=r"^process .* exit code: 3$") as failed:
        apart(fail, "made of other things")
    assert (failed.value.code, failed.value.kept, failed.value.lines) == (3, "abc", (b"line",))
    with pytest.raises(FileNotFoundError) as absent:
        apart(fail, "the system's")
    assert absent.value.filename == "/nothing/here"
    with pytest.raises(errors.Conflict, match=r"^in use$") as busy:
        apart(fail, "full of what stays there")
    assert busy.value.advice == "Wait."
    with pytest.raises(Failed, match="ended with code -9"):
        apart(fail, "killed")


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt()])
def test_it_is_interrupted_with_who_waits(error: BaseException, tmp_path: Path) -> None:
    numbers: list[int] = []

    def refuse(number: int) -> None:
        numbers.append(number)
        raise error

    with pytest.raises(type(error)):
        apart(stay, str(tmp_path / "told"), tell=refuse)
    assert (tmp_path / "told").read_text() == "tidied"
    with pytest.raises(ProcessLookupError):
        os.kill(numbers[0], 0)


def test_it_does_not_outlive_who_waits(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            apart(stay, str(tmp_path / "told"), tell=lambda number: os.write(writing, b"%d" % number))
        finally:
            os._exit(1)
    os.close(writing)
    number = int(os.read(reading, 20))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert os.read(reading, 1) == b""
    os.close(reading)
    deadline = time.monotonic() + PATIENCE
    while Path(f"/proc/{number}/fd/0").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert (tmp_path / "told").read_text() == "tidied"


def test_a_program_that_cannot_start_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(NoInterpreter):
        apart(facts, 4)
