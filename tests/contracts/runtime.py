"""What every Runtime does. The tests of one inherit from `RuntimeContract` and say how to make it."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

from millefeuille.runtime.runtime import ExecFailed, Refused, Runtime, StartFailed, Stdio

QUIET = Stdio(stdout=None, stderr=None)


class Bench(Protocol):
    """A runtime to be tested, and bundles for it. `freezes` says whether it can pause here."""

    freezes: bool

    @property
    def runtime(self) -> Runtime: ...

    def bundle(self, *words: str) -> tuple[str, str]: ...
    def process(self, *words: str) -> dict[str, Any]: ...
    def directory(self) -> str: ...


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def replaced(bundle: str, *words: str) -> None:
    """Give a bundle other words, unchecked."""
    path = Path(bundle, "config.json")
    document = json.loads(path.read_text())
    document["process"]["args"] = list(words)
    path.write_text(json.dumps(document))


class RuntimeContract:
    """The tests. `bench` is a fixture of the runtime's own."""

    @pytest.mark.parametrize(
        ("script", "code"), [("exit 0", 0), ("exit 1", 1), ("exit 255", 255), ("kill -9 $$; sleep 9", 137)]
    )
    def test_exit_codes(self, bench: Bench, script: str, code: int) -> None:
        # The first process of a container cannot kill itself: a child does, and is copied.
        if code == 137:
            script = "sh -c 'kill -9 $$'; exit $?"
        id, bundle = bench.bundle("/bin/sh", "-c", script)
        assert bench.runtime.run(id, bundle, QUIET).wait() == code
        bench.runtime.delete(id)

    def test_streams(self, bench: Bench) -> None:
        inside, outside = os.pipe(), os.pipe()
        os.write(inside[1], b"word\n")
        os.close(inside[1])
        id, bundle = bench.bundle("/bin/sh", "-c", "read x; echo got $x; echo bad >&2")
        stdio = Stdio(stdin=inside[0], stdout=outside[1], stderr=outside[1])
        assert bench.runtime.run(id, bundle, stdio).wait() == 0
        os.close(inside[0])
        os.close(outside[1])
        with open(outside[0], "rb") as file:
            # A runtime in the foreground may copy the two streams, each for itself.
            assert sorted(file) == [b"bad\n", b"got word\n"]
        bench.runtime.delete(id)

    def test_a_program_that_is_not_there(self, bench: Bench) -> None:
        id, bundle = bench.bundle("/bin/sh")
        replaced(bundle, "/nosuch")
        with pytest.raises(StartFailed, match=r"(?i)no such file or directory") as caught:
            bench.runtime.run(id, bundle, QUIET).wait()
        assert caught.value.exit_code == 127
        bench.runtime.delete(id)
        with pytest.raises(StartFailed, match=r"(?i)no such file or directory"):
            # Some notice when they make the container, others when they start it.
            bench.runtime.create(id, bundle, QUIET)
            bench.runtime.start(id)
        bench.runtime.delete(id)

    def test_a_life(self, bench: Bench) -> None:
        runtime = bench.runtime
        id, bundle = bench.bundle("/bin/sleep", "60")
        assert runtime.state(id) is None
        pid = runtime.create(id, bundle, QUIET)
        created = runtime.state(id)
        assert created is not None
        assert (created.status, created.pid) == ("created", pid)
        runtime.start(id)
        until(lambda: "sleep" in Path(f"/proc/{pid}/cmdline").read_text())
        running = runtime.state(id)
        assert running is not None
        assert (running.status, running.pid) == ("running", pid)
        runtime.kill(id, signal.SIGKILL)
        until(lambda: (state := runtime.state(id)) is not None and state.status == "stopped")
        with pytest.raises(Refused):
            runtime.kill(id, signal.SIGTERM)
        runtime.delete(id)
        assert runtime.state(id) is None
        runtime.delete(id)

    def test_signals(self, bench: Bench) -> None:
        reading, writing = os.pipe()
        script = "trap 'exit 42' TERM; echo up; while :; do sleep 0.02; done"
        id, bundle = bench.bundle("/bin/sh", "-c", script)
        attached = bench.runtime.run(id, bundle, Stdio(stdout=writing, stderr=None))
        os.close(writing)
        with open(reading, "rb") as file:
            assert file.readline() == b"up\n"
        attached.signal(signal.SIGTERM)
        assert attached.wait() == 42
        bench.runtime.delete(id)

    def test_exec(self, bench: Bench) -> None:
        runtime = bench.runtime
        id, bundle = bench.bundle("/bin/sleep", "60")
        runtime.create(id, bundle, QUIET)
        runtime.start(id)
        reading, writing = os.pipe()
        process = bench.process("/bin/sh", "-c", "echo said; exit 5")
        stdio = Stdio(stdout=writing, stderr=None)
        assert runtime.exec(id, process, bench.directory(), stdio).wait() == 5
        os.close(writing)
        with open(reading, "rb") as file:
            assert file.read() == b"said\n"
        with pytest.raises(ExecFailed, match=r"\AOCI runtime exec failed: ") as caught:
            runtime.exec(id, bench.process("/nosuch"), bench.directory(), QUIET).wait()
        assert caught.value.exit_code == 127
        runtime.delete(id)

    def test_exec_without_waiting(self, bench: Bench) -> None:
        runtime = bench.runtime
        id, bundle = bench.bundle("/bin/sleep", "60")
        first = runtime.create(id, bundle, QUIET)
        runtime.start(id)
        second = runtime.exec_detached(id, bench.process("/bin/sleep", "61"), bench.directory(), QUIET)
        until(lambda: "61" in Path(f"/proc/{second}/cmdline").read_text())
        if bench.freezes:
            assert sorted(runtime.processes(id)) == sorted([first, second])
        runtime.delete(id)
        until(lambda: not os.path.exists(f"/proc/{first}") and not os.path.exists(f"/proc/{second}"))

    def test_exec_where_nothing_runs(self, bench: Bench) -> None:
        with pytest.raises(ExecFailed):
            bench.runtime.exec("none", bench.process("/bin/true"), bench.directory(), QUIET).wait()

    def test_pause(self, bench: Bench) -> None:
        runtime = bench.runtime
        id, bundle = bench.bundle("/bin/sleep", "60")
        runtime.create(id, bundle, QUIET)
        runtime.start(id)
        if not bench.freezes:
            with pytest.raises(Refused):
                runtime.pause(id)
            return
        runtime.pause(id)
        paused = runtime.state(id)
        assert paused is not None
        assert paused.status == "paused"
        runtime.resume(id)
        running = runtime.state(id)
        assert running is not None
        assert running.status == "running"
        runtime.delete(id)

    def test_what_is_not_there(self, bench: Bench) -> None:
        runtime = bench.runtime
        runtime.delete("none")
        for act in (runtime.pause, runtime.resume, runtime.processes, lambda id: runtime.kill(id, 9)):
            with pytest.raises(Refused):
                act("none")
        with pytest.raises(StartFailed):
            runtime.start("none")
