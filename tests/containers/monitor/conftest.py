"""A runtime of shell: it starts the bundle's `command` as a process of the host."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import millefeuille
from millefeuille.containers.connection import Connection

_RUNTIME = r"""#!/bin/sh
case "$*" in
*" run "*)
    bundle=$(dirname "$0")
    exec 3<&0
    # Begins when the shell that started it is gone: or that would take note of its end itself.
    : > "$bundle/starting"
    (
        setsid sh -c 'while [ -e "$0/starting" ]; do sleep 0.01; done; exec sh "$0/command"' \
            "$bundle" <&3 3<&- &
        echo $! > "$bundle/pid"
    )
    rm "$bundle/starting" ;;
*"exec"*)
    file=$4; shift 5
    case "$1" in missing) echo 'time="now" level=error msg="exec: \"a\": no such program"'; exit 255 ;; esac
    (setsid "$@" & echo $! > "$file") ;;
*) echo "$@" >> "$(dirname "$0")/calls"; [ ! -e "$(dirname "$0")/refuses" ] ;;
esac
"""


class Monitored:
    """A monitor over the fake runtime, with one client attached."""

    def __init__(self, directory: Path, command: str, **order: Any) -> None:
        self.directory = directory
        directory.mkdir(exist_ok=True)
        (directory / "runtime").write_text(_RUNTIME)
        (directory / "runtime").chmod(0o755)
        (directory / "command").write_text(command)
        told = {
            "id": "c1", "runtime": [str(directory / "runtime")], "bundle": str(directory),
            "runtime_state": str(directory / "kept"), "groups": [str(directory / "group")],
            "state": str(directory / "state.json"), "log": {"path": str(directory / "log")},
            "telling": {
                "journal": str(directory / "journal"), "record": str(directory / "config.json"),
                "facts": {"name": "c", "image": "i"}, "lease": str(directory / "lease.json"),
                "volumes": [],
            },
            "console": str(directory / "console"), "tty": False, "open_stdin": False, "stdin_once": False,
            "policy": "no", "retries": 0, "auto_remove": False, "cleanup": [], "environment": {},
            "counters": [], "restarts": 0, "health": None, "finished": "0001-01-01T00:00:00Z", **order,
        }  # fmt: skip
        (directory / "monitor.json").write_text(json.dumps(told))
        ours, theirs = socket.socketpair()
        told_fd, telling = os.pipe()
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT)
        source = str(Path(millefeuille.__file__).parents[1])
        words = f"import sys; sys.path.insert(0, {source!r})\n" \
            "from millefeuille.containers.monitor.main import main; main()"  # fmt: skip
        numbers = [lock, telling, theirs.fileno()]
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", words, str(directory / "monitor.json"), *map(str, numbers)],
            pass_fds=numbers, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()
        os.close(telling)
        os.close(lock)
        with open(told_fd, "rb") as answer:
            self.answer = answer.read().decode()
        ours.settimeout(20)
        self.connection = Connection(ours)
        self.output = {b"o": b"", b"x": b""}
        self.ends: list[int] = []  # the exit codes of runs that another one came after

    @property
    def state(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((self.directory / "state.json").read_text())
        return told

    def calls(self) -> list[str]:
        """What the runtime was asked for beside the start."""
        told = self.directory / "calls"
        return told.read_text().splitlines() if told.exists() else []

    def until_end(self) -> int:
        """The exit code; what came before is in `output`."""
        while (frames := self.connection.receive()) is not None:
            for kind, payload in frames:
                if kind == b"q":
                    self.process.wait(10)
                    return int(payload)
                self.ends += [int(payload)] if kind == b"n" else []
                self.output[kind] = self.output.get(kind, b"") + payload
        raise AssertionError("the monitor went without a word")

    def close(self) -> None:
        self.connection.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def monitored(tmp_path: Path) -> Iterator[Any]:
    made: list[Monitored] = []

    def make(command: str, **order: Any) -> Monitored:
        made.append(Monitored(tmp_path / f"m{len(made)}", command, **order))
        return made[-1]

    yield make
    for one in made:
        one.close()
