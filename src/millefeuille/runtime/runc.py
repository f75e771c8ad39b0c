"""Runc: the Runtime contract over the runc binary, or crun, which takes the same words."""

from __future__ import annotations

import os
from collections.abc import Mapping

from millefeuille import files
from millefeuille.annotations import Any
from millefeuille.later import subprocess
from millefeuille.plainjson import dumps, loads
from millefeuille.runtime import cgroup
from millefeuille.runtime.invocation import Program, ended, failure
from millefeuille.runtime.runtime import Attached, ExecFailed, Refused, Running, StartFailed, State, Stdio


class Runc:
    """Containers run by `program`, with its state under `directory`.

    `options` come before every verb; `limits` says whether it can set limits here; `store` tells this store
    from others of the host, see `cgroup.path`.
    """

    def __init__(
        self,
        program: str,
        directory: str,
        *,
        options: tuple[str, ...] = (),
        limits: bool = True,
        store: str = "",
    ) -> None:
        self.program = program
        self._store = store
        self.limits = limits
        self._directory = directory
        self._program = Program(path=program, options=("--root", directory, *options))

    def command(self) -> list[str]:
        """The command line up to the verb, for whoever calls the program itself."""
        return [self._program.path, *self._program.options]

    def state_of(self, id: str) -> str:
        """The directory of what the program notes of a container."""
        return f"{self._directory}/{id}"

    def run(self, id: str, bundle: str, stdio: Stdio) -> Running:
        """See Runtime. Raises RuntimeMissing."""
        log = f"{bundle}/runtime.log"
        files.make_directory(self._directory)
        words = ["--log", log, "--log-format", "json", "run", "--bundle", bundle, id]
        return _Attached(self._program.start(words, stdio), log, StartFailed)

    def create(self, id: str, bundle: str, stdio: Stdio, *, console: str | None = None) -> int:
        """See Runtime. Raises RuntimeMissing."""
        log, pid = f"{bundle}/runtime.log", f"{bundle}/pid"
        files.make_directory(self._directory)
        words = ["--log", log, "--log-format", "json", "create", "--bundle", bundle, "--pid-file", pid]
        words += ["--console-socket", console] if console else []
        code = self._program.start([*words, id], stdio).wait()
        if code:
            raise StartFailed(failure(log) or f"{self.program} exited with {code}")
        return _number(pid)

    def start(self, id: str) -> None:
        """See Runtime. Raises RuntimeMissing."""
        try:
            self._program.output(["start", id])
        except Refused as refused:
            raise StartFailed(str(refused)) from None

    def exec(self, id: str, process: Mapping[str, Any], directory: str, stdio: Stdio) -> Attached:
        """See Runtime. Raises RuntimeMissing."""
        words, log = self._exec(process, directory)
        words += ["--pid-file", f"{directory}/pid"]
        return _Attached(self._program.start([*words, id], stdio), log, ExecFailed)

    def exec_detached(
        self,
        id: str,
        process: Mapping[str, Any],
        directory: str,
        stdio: Stdio,
        *,
        console: str | None = None,
    ) -> int:
        """See Runtime. Raises RuntimeMissing."""
        words, log = self._exec(process, directory)
        words += ["--detach", "--pid-file", f"{directory}/pid"]
        words += ["--console-socket", console] if console else []
        code = self._program.start([*words, id], stdio).wait()
        if code:
            raise ExecFailed(failure(log) or f"{self.program} exited with {code}")
        return _number(f"{directory}/pid")

    def state(self, id: str) -> State | None:
        """See Runtime. Raises RuntimeMissing."""
        if not os.path.exists(f"{self._directory}/{id}"):
            return None
        try:
            told = loads(self._program.output(["state", id]))
        except Refused:
            return None
        return State(status=told["status"], pid=told.get("pid") or 0)

    def kill(self, id: str, number: int) -> None:
        """See Runtime. Raises RuntimeMissing."""
        self._program.output(["kill", id, str(number)])

    def pause(self, id: str) -> None:
        """See Runtime. Raises RuntimeMissing."""
        self._program.output(["pause", id])

    def resume(self, id: str) -> None:
        """See Runtime. Raises RuntimeMissing."""
        self._program.output(["resume", id])

    def update(self, id: str, resources: Mapping[str, Any]) -> None:
        """See Runtime. Raises RuntimeMissing."""
        if resources:
            self._program.output(["update", "--resources", "-", id], given=dumps(resources).encode())

    def processes(self, id: str) -> list[int]:
        """See Runtime. Raises RuntimeMissing."""
        told = loads(self._program.output(["ps", "--format", "json", id]))
        return [int(pid) for pid in told or ()]

    def group(self, id: str, parent: str = "") -> str:
        """See Runtime."""
        return cgroup.path(id, parent, store=self._store)

    def delete(self, id: str) -> None:
        """See Runtime. A group with another parent is the caller's: see `cgroup.remove`."""
        if os.path.exists(f"{self._directory}/{id}"):
            self._program.start(["delete", "--force", id], Stdio(stdout=None, stderr=None)).wait()
            files.remove_tree(f"{self._directory}/{id}")
        cgroup.remove(self.group(id))

    def _exec(self, process: Mapping[str, Any], directory: str) -> tuple[list[str], str]:
        path, log = f"{directory}/process.json", f"{directory}/runtime.log"
        descriptor = files.create(path)
        try:
            with files.about(path):
                files.write(descriptor, dumps(process).encode())
        finally:
            os.close(descriptor)
        return ["--log", log, "--log-format", "json", "exec", "--process", path], log


class _Attached:
    """The runtime in the foreground: it passes signals on, and exits as the process does."""

    def __init__(
        self, process: subprocess.Popen[bytes], log: str, failed: type[StartFailed] | type[ExecFailed]
    ) -> None:
        self._process = process
        self._log = log
        self._failed = failed

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        code = self._process.wait()
        # The runtime's own failures share exit codes with the container's; only its log tells them apart.
        reason = failure(self._log) if code else None
        if reason is not None:
            raise self._failed(reason)
        return 128 - code if code < 0 else code

    def ended(self, seconds: float) -> bool:
        return ended(self._process, seconds)


def _number(path: str) -> int:
    with open(path, encoding="ascii") as file:
        return int(file.read())
