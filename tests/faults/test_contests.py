"""Commands on one container at the same time, and killed between two steps: each loser says so in one line,
and the container can be stopped, started and removed afterwards.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.faults.household import MILLE
from tests.faults.test_leftovers import awaited
from tests.faults.yard import BASE, Yard

pytestmark = pytest.mark.walk

Done = subprocess.CompletedProcess[str]


def begun(yard: Yard, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [MILLE, "--root", yard.root, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(command: subprocess.Popen[str]) -> Done:
    out, err = command.communicate(timeout=60)
    return subprocess.CompletedProcess(command.args, command.returncode, out, err)


def run(yard: Yard, *words: str, options: tuple[str, ...] = ()) -> str:
    return yard.done("run", "-d", "--network", "none", "--name", "one", *options, BASE, *words)


def test_who_starts_it_last_finds_it_started(yard: Yard, all_cases: bool) -> None:
    for _ in range(10 if all_cases else 2):
        yard.done("create", "--network", "none", "--name", "one", BASE, "sh", "-c", "echo once; sleep 600")
        started = [begun(yard, "start", "one") for _ in range(6)]
        assert [(done.returncode, done.stdout) for done in map(ended, started)] == [(0, "one\n")] * 6
        assert yard.done("logs", "one") == "once"
        yard.done("rm", "-f", "one")


@pytest.mark.parametrize("words", [("stop", "-t", "1", "one"), ("rm", "-f", "one"), ("kill", "one")])
def test_a_pause_does_not_keep_it_from_its_end(
    yard: Yard, words: tuple[str, ...], all_cases: bool
) -> None:  # fmt: skip
    for attempt in range(0, 12, 1 if all_cases else 4):
        run(yard, "sleep", "1000")
        begin = time.monotonic()
        pausing = begun(yard, "pause", "one")
        time.sleep(attempt * 0.005)
        done = yard.mille(*words)
        assert (done.returncode, done.stderr) == (0, ""), attempt
        paused = ended(pausing)
        assert paused.returncode == 0 or paused.stderr.count("\n") == 1
        assert time.monotonic() - begin < 9, "nobody waited for a process that took no signal"
        yard.mille("rm", "-f", "one")


def test_a_killed_pause_leaves_it_running(yard: Yard, all_cases: bool) -> None:
    run(yard, "sleep", "1000")
    for attempt in range(0, 40, 1 if all_cases else 4):
        pausing = begun(yard, "pause", "one")
        time.sleep(attempt * 0.003)
        pausing.kill()
        ended(pausing)
        awaited(lambda: not yard.inconsistencies() or yard.state("one").status == "paused", 5)
        if yard.state("one").status == "paused":
            yard.done("unpause", "one")
        assert yard.inconsistencies() == [], attempt
        assert yard.done("exec", "one", "echo", "alive") == "alive"
    yard.done("rm", "-f", "one")


def test_who_looks_at_its_root_does_not_break_its_start(
    yard: Yard, tmp_path: Path, all_cases: bool
) -> None:  # fmt: skip
    for attempt in range(0, 12, 1 if all_cases else 3):
        script = "rm /bin/cat && echo x > /etc/passwd && mkdir /a && mv /a /b && echo fine; sleep 1"
        yard.done("create", "--network", "none", "--name", "one", BASE, "sh", "-c", script)
        looks = [begun(yard, "export", "-o", "/dev/null", "one") for _ in range(2)]
        looks.append(begun(yard, "cp", "one:/etc", str(tmp_path / "etc")))
        time.sleep(attempt * 0.01)
        started = yard.mille("start", "one")
        assert (started.returncode, started.stderr) == (0, ""), attempt
        for look in looks:
            look.communicate(timeout=60)
        yard.done("wait", "one")
        assert yard.mille("logs", "one").stdout == "fine\n", attempt
        yard.done("rm", "one")


def test_a_start_beside_a_removal(yard: Yard, all_cases: bool) -> None:
    allowed = ("No such container", "is not running", "is running", "is already in progress")
    for attempt in range(0, 20, 1 if all_cases else 4):
        yard.done("create", "--network", "none", "--name", "one", BASE, "sleep", "1")
        starting = begun(yard, "start", "one")
        time.sleep(attempt * 0.008)
        removed = yard.mille("rm", "-f", "one")
        started = ended(starting)
        assert removed.returncode == 0, removed.stderr
        assert "descriptor" not in started.stderr, started.stderr
        assert started.returncode == 0 or any(words in started.stderr for words in allowed), started.stderr
        assert yard.done("ps", "-aq") == ""


def test_a_stop_killed_before_its_signal_keeps_the_restart_policy(yard: Yard, all_cases: bool) -> None:
    script = "trap 'echo term' TERM; while :; do sleep 0.05; done"
    kept = 0
    for attempt in range(0, 24, 1 if all_cases else 4):
        run(yard, "sh", "-c", script, options=("--restart", "always"))
        stopping = begun(yard, "stop", "-t", "30", "one")
        time.sleep(0.03 + attempt * 0.006)
        stopping.kill()
        ended(stopping)
        time.sleep(0.1)
        if "term" not in yard.done("logs", "one"):
            kept += 1
            os.kill(yard.state("one").pid, signal.SIGKILL)
            count = ("inspect", "-f", "{{.RestartCount}}", "one")
            assert awaited(lambda: yard.done(*count) == "1"), attempt  # noqa: B023  the same in each round
        yard.done("rm", "-f", "one")
    assert kept


def test_a_reader_that_goes_ends_the_attachment(yard: Yard) -> None:
    words = ("run", "--network", "none", "--name", "one", BASE, "yes")
    command = subprocess.Popen(
        f"{MILLE} --root {yard.root} {' '.join(words)} | head -1; echo ${{PIPESTATUS[0]}}", shell=True,
        executable="/bin/bash", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    out, err = command.communicate(timeout=30)
    assert (out, err) == ("y\n1\n", "write /dev/stdout: broken pipe\n")
    assert yard.state("one").running, "Docker lets it go on, too"
    with open("/dev/full", "w") as nowhere:
        full = subprocess.run(
            [MILLE, "--root", yard.root, "attach", "one"], stdout=nowhere, stderr=subprocess.PIPE,
            text=True, timeout=30, check=False,
        )  # fmt: skip
    assert (full.returncode, full.stderr) == (1, "write /dev/stdout: no space left on device\n")
    yard.done("rm", "-f", "one")


def test_start_joins_what_runs_and_leaves_what_is_paused(yard: Yard) -> None:
    run(yard, "sh", "-c", "sleep 1; echo said; exit 4")
    joined = yard.mille("start", "-a", "one")
    assert (joined.returncode, joined.stdout) == (4, "said\n")
    yard.done("rm", "one")
    run(yard, "sleep", "1000")
    yard.done("pause", "one")
    refused = yard.mille("start", "one")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.splitlines() == [
        "Error: cannot start a paused container, try unpause instead",
        "Error: failed to start containers: one",
    ]
    yard.done("rm", "-f", "one")


def test_what_the_system_refuses_has_the_code_of_run(yard: Yard, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = yard.mille("run", "--rm", "--network", "none", "-v", f"{tmp_path}/file/x:/z", BASE, "true")
    assert done.returncode == 125
    assert done.stderr.startswith("mille: Error: ")
    assert yard.done("ps", "-aq") == ""


def test_names_and_namespaces_of_others(yard: Yard) -> None:
    yard.done("create", "--network", "none", "--name", "/slashed", BASE, "true")
    assert yard.done("ps", "-a", "--format", "{{.Names}}") == "slashed"
    stopped = yard.done("inspect", "-f", "{{.Id}}", "slashed")
    run(yard, "sleep", "1000", options=("--ipc", "private"))
    private = yard.done("inspect", "-f", "{{.Id}}", "one")
    for words, said in (
        (("--pid", "container:slashed"), f"container {stopped} is not running"),
        (
            ("--ipc", "container:slashed"),
            f"can't join IPC of container {stopped}: container {stopped} is not running",
        ),
        (
            ("--ipc", "container:one"),
            f"can't join IPC of container {private}: non-shareable IPC (hint: use IpcMode:shareable for the"
            " donor container)",
        ),
    ):
        done = yard.mille("run", "--rm", "--network", "none", *words, BASE, "true")
        assert (done.returncode, done.stderr.splitlines()[0]) == (125, f"mille: Error: {said}")
    assert yard.done("run", "--rm", "--network", "none", "--pid", "container:one", BASE, "echo", "x") == "x"
    yard.done("rm", "-f", "one", "slashed")
