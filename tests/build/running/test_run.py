"""A RUN, for real: what it prints, what it changes, how it fails, and that nothing is left."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.build.running.steps import Steps

from millefeuille.build.running.failure import StepFailed, StepStopped
from millefeuille.runtime.users import NoSuchUser

pytestmark = pytest.mark.walk


def test_changes(steps: Steps) -> None:
    changes = steps.sh("echo hello > /srv/new; rm /etc/plain")
    assert sorted(changes) == ["etc", "etc/.wh.plain", "srv", "srv/new"]
    assert changes["srv/new"].size == 6


def test_output_comes_in_lines_by_stream(steps: Steps) -> None:
    steps.sh("echo one; sleep 0.2; echo two >&2; sleep 0.2; printf three")
    assert steps.lines == [(1, b"one"), (2, b"two"), (1, b"three")]


def test_nothing_changed(steps: Steps) -> None:
    assert steps.run("true") == {}


def test_failure(steps: Steps) -> None:
    with pytest.raises(StepFailed) as caught:
        steps.sh('echo "no"; exit 3')
    assert caught.value.code == 3
    assert str(caught.value) == (
        'process "/bin/sh -c echo \\"no\\"; exit 3" did not complete successfully: exit code: 3'
    )
    assert caught.value.advice is None
    assert steps.output == "no\n"


def test_command_not_found(steps: Steps) -> None:
    with pytest.raises(StepFailed, match='process "absent" did not complete successfully') as caught:
        steps.run("absent")
    assert "executable file not found in $PATH" in steps.output
    told = caught.value.advice or ""
    assert told.startswith("The runtime did not start it: ") and told.endswith("not found in $PATH")


def test_user_not_found(steps: Steps) -> None:
    with pytest.raises(NoSuchUser, match="unable to find user nobody"):
        steps.run("true", user="nobody")


def test_root_on_nothing(steps: Steps) -> None:
    steps.parent = None
    with pytest.raises(StepFailed):
        steps.run("/bin/true")
    assert "no such file or directory" in steps.output


def test_many_at_once(steps: Steps) -> None:
    def one(number: int) -> list[str]:
        own = Steps(steps.host, steps.parent)
        changes = own.sh(f"echo {number} > /srv/{number}; echo {number}")
        assert own.lines == [(1, b"%d" % number)]
        return sorted(changes)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(one, range(8)))
    assert found == [["srv", f"srv/{number}"] for number in range(8)]


def test_stopped(steps: Steps) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(StepStopped):
        steps.sh("echo begun; sleep 60", stop=stop)
    assert steps.output == "begun\n"


def test_stopped_before_it_begins(steps: Steps) -> None:
    stop = threading.Event()
    stop.set()
    began = time.monotonic()
    with pytest.raises(StepStopped):
        steps.sh("echo begun; sleep 10", stop=stop)
    assert steps.output == "" and time.monotonic() - began < 5


def test_stopped_while_the_runtime_starts_it(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, start = threading.Event(), steps.host.runtime.run

    def starting(*words: Any) -> Any:
        process = start(*words)
        stop.set()
        return process

    monkeypatch.setattr(steps.host.runtime, "run", starting)
    began = time.monotonic()
    with pytest.raises(StepStopped):
        steps.sh("sleep 10", stop=stop)
    assert time.monotonic() - began < 5


def test_stopped_when_it_has_closed_its_streams(steps: Steps) -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    began = time.monotonic()
    with pytest.raises(StepStopped):
        steps.sh("exec >&- 2>&-; sleep 10", stop=stop)
    assert time.monotonic() - began < 5


def test_stopped_while_it_prints_more_than_a_pipe_holds(steps: Steps) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(StepStopped):
        steps.sh("x=y; for n in $(seq 10); do x=$x$x; done; while true; do echo $x; done", stop=stop)
    assert steps.output.startswith("y" * 1024 + "\n")
