"""ProcessRuntime: the Runtime contract without containers, for tests that need no isolation and no root.

A bundle's process is an ordinary child of this process, started with its words and its environment.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.runtime.invocation import ended
from millefeuille.runtime.runtime import ExecFailed, Refused, StartFailed, State, Stdio

_HELD: Final = 'kill -STOP $$; exec "$@"'


class ProcessRuntime:
    """Containers that are nothing but a process group each."""

    limits = False

    def __init__(self) -> None:
        self._containers: dict[str, _Container] = {}

    def run(self, id: str, bundle: str, stdio: Stdio) -> _Container:
        """See Runtime."""
        process = _process(bundle)
        made = _Container(_spawn(process, process["args"], stdio, StartFailed), status="running")
        self._containers[id] = made
        return made

    def create(self, id: str, bundle: str, stdio: Stdio, *, console: str | None = None) -> int:
        """See Runtime."""
        process = _process(bundle)
        _check(process["args"], StartFailed)
        words = ["/bin/sh", "-c", _HELD, "sh", *process["args"]]
        made = _Container(_spawn(process, words, stdio, StartFailed), status="created")
        self._containers[id] = made
        while not made.is_held():
            time.sleep(0.001)
        return made.pid

    def start(self, id: str) -> None:
        """See Runtime."""
        made = self._containers.get(id)
        if made is None:
            raise StartFailed(f"container {id} does not exist")
        made.status = "running"
        made.signal(signal.SIGCONT)

    def exec(self, id: str, process: Mapping[str, Any], directory: str, stdio: Stdio) -> _Container:
        """See Runtime."""
        if self._running(id) is None:
            raise ExecFailed("cannot exec in a stopped container")
        return _Container(_spawn(process, process["args"], stdio, ExecFailed), status="running")

    def exec_detached(
        self, id: str, process: Mapping[str, Any], directory: str, stdio: Stdio, *, console: str | None = None
    ) -> int:
        """See Runtime."""
        made = self._running(id)
        if made is None:
            raise ExecFailed("cannot exec in a stopped container")
        made.others.append(_spawn(process, process["args"], stdio, ExecFailed))
        return made.others[-1].pid

    def state(self, id: str) -> State | None:
        """See Runtime."""
        made = self._containers.get(id)
        if made is None:
            return None
        running = made.process.poll() is None
        return State(status=made.status if running else "stopped", pid=made.pid if running else 0)

    def kill(self, id: str, number: int) -> None:
        """See Runtime."""
        self._found(id).signal(number)

    def pause(self, id: str) -> None:
        """See Runtime."""
        made = self._found(id)
        made.status = "paused"
        made.signal(signal.SIGSTOP)

    def resume(self, id: str) -> None:
        """See Runtime."""
        made = self._found(id)
        made.status = "running"
        made.signal(signal.SIGCONT)

    def update(self, id: str, resources: Mapping[str, Any]) -> None:
        """See Runtime."""
        self._found(id)
        if resources:
            raise Refused("no limits here")

    def processes(self, id: str) -> list[int]:
        """See Runtime."""
        made = self._found(id)
        return [made.pid, *(other.pid for other in made.others if other.poll() is None)]

    def group(self, id: str, parent: str = "") -> str:
        """See Runtime."""
        return f"{parent}/{id}"

    def delete(self, id: str) -> None:
        """See Runtime."""
        made = self._containers.pop(id, None)
        if made is not None:
            for process in (made.process, *made.others):
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _running(self, id: str) -> _Container | None:
        made = self._containers.get(id)
        return made if made is not None and made.process.poll() is None else None

    def _found(self, id: str) -> _Container:
        made = self._running(id)
        if made is None:
            raise Refused("container not running")
        return made


class _Container:
    """A process that stands for a container; `status` holds as long as it runs."""

    def __init__(self, process: subprocess.Popen[bytes], *, status: str) -> None:
        self.process = process
        self.pid = process.pid
        self.status = status
        self.others: list[subprocess.Popen[bytes]] = []

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        code = self.process.wait()
        return 128 - code if code < 0 else code

    def ended(self, seconds: float) -> bool:
        return ended(self.process, seconds)

    def is_held(self) -> bool:
        with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "T"


def _process(bundle: str) -> dict[str, Any]:
    with open(f"{bundle}/config.json", encoding="utf-8") as file:
        process: dict[str, Any] = json.load(file)["process"]
    return process


def _check(words: list[str], failed: type[StartFailed] | type[ExecFailed]) -> None:
    if "/" in words[0] and not os.path.exists(words[0]):
        verb = "exec" if failed is ExecFailed else "create"
        raise failed(
            f'runc {verb} failed: unable to start container process: exec: "{words[0]}": '
            f"stat {words[0]}: no such file or directory"
        )


def _spawn(
    process: Mapping[str, Any], words: list[str], stdio: Stdio, failed: type[StartFailed] | type[ExecFailed]
) -> subprocess.Popen[bytes]:
    _check(words, failed)
    chosen = (stdio.stdin, stdio.stdout, stdio.stderr)
    streams = [subprocess.DEVNULL if descriptor is None else descriptor for descriptor in chosen]
    environment = dict(entry.split("=", 1) for entry in process.get("env") or ())
    return subprocess.Popen(
        words, stdin=streams[0], stdout=streams[1], stderr=streams[2], env=environment, process_group=0
    )
