"""A secret and an agent of a build are nowhere in the store, however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.household import MILLE
from tests.faults.yard import BASE, MADE, SECRET, Yard

pytestmark = pytest.mark.walk

_SECRETS = (
    "--mount=type=secret,id=s,required=true --mount=type=secret,id=s,env=TOKEN --mount=type=ssh,required=true"
)
READ = "test $(cat /run/secrets/s) = $TOKEN; test -S $SSH_AUTH_SOCK"


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[str]:
    """Where an agent listens; its name has the secret in it."""
    path = str(tmp_path / "agent")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        yield path


def words(yard: Yard, agent: str, script: str) -> tuple[str, ...]:
    dockerfile = f"FROM {BASE}\nRUN {_SECRETS} {READ}; {script}\n"
    given = yard.words(dockerfile, "--progress", "plain", "--ssh", f"default={agent}")
    return tuple(word for word in given if word != "-q")


def told_nowhere(yard: Yard, agent: str, *finished: subprocess.CompletedProcess[str]) -> None:
    for text in (SECRET, agent):
        assert yard.holding(text) == []
        assert not [text for done in finished if text in done.stdout + done.stderr]
    history = yard.mille("build", "history"), yard.mille("builder", "du", "--verbose")
    assert not [text for text in (SECRET, agent) for done in history if text in done.stdout + done.stderr]


def test_a_build_that_works(yard: Yard, agent: str) -> None:
    done = yard.mille(*words(yard, agent, "echo made > /made; env | grep -v TOKEN"))
    assert done.returncode == 0, done.stderr
    again = yard.mille(*words(yard, agent, "echo made > /made; env | grep -v TOKEN"))
    assert "CACHED" in again.stderr
    told_nowhere(yard, agent, done, again)
    for command in (("history", "--no-trunc", MADE), ("inspect", MADE)):
        assert SECRET not in yard.done(*command) and agent not in yard.done(*command)
    saved = yard.directory / "saved.tar"
    yard.done("save", "-o", str(saved), MADE)
    data = saved.read_bytes()
    assert SECRET.encode() not in data and agent.encode() not in data
    assert yard.build(f"FROM {MADE}\nRUN test ! -e /run/secrets/s\n").returncode == 0


def test_a_build_that_fails_and_keeps_its_root(yard: Yard, agent: str) -> None:
    done = yard.mille(*words(yard, agent, "echo left > /left; exit 9"))
    assert done.returncode == 9
    assert "mille build debug" in done.stderr
    assert yard.holding("left\n")
    told_nowhere(yard, agent, done)


def test_another_secret_is_no_other_step(yard: Yard, agent: str) -> None:
    assert yard.mille(*words(yard, agent, "true")).returncode == 0
    yard.secret.write_text("another\n")
    again = yard.mille(*words(yard, agent, "true"))
    assert again.returncode == 0 and "CACHED" in again.stderr


def test_a_kill_while_the_command_runs(yard: Yard, agent: str) -> None:
    long = str(1_000_000 + os.getpid())  # as nobody else's sleep is
    script = f"echo begun; sleep {long}"
    process = subprocess.Popen(
        [MILLE, "--root", yard.root, *words(yard, agent, script)], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    with process:
        assert process.stderr is not None
        seen = b""
        while b" begun\n" not in seen:
            line = process.stderr.readline()
            assert line, seen
            seen += line
        process.send_signal(signal.SIGKILL)
    told_nowhere(yard, agent)
    assert yard.build(f"FROM {BASE}\nRUN true\n").returncode == 0
    told_nowhere(yard, agent)
    deadline = time.monotonic() + 5
    while _running(f"sleep\0{long}") and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _running(f"sleep\0{long}")
    assert yard.left() == []


def _running(words: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [path.parent.name] if path.read_text().startswith(words) else []
        except OSError:
            continue
    return found
