"""Runc: the Runtime contract over the runc binary, or crun, which takes the same words."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Final

from millefeuille import files
from millefeuille.errors import Unsupported
from millefeuille.runtime.runtime import Attached, StartFailed, Stdio

# The runtime's environment is built from nothing: none of ours may reach it, or through it a container.
_ENVIRONMENT: Final = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


class RuntimeMissing(Unsupported):
    """The runtime's program is not installed."""


class Runc:
    """Containers run by `program`, with its state under `directory`."""

    def __init__(self, program: str, directory: str) -> None:
        self.program = program
        self._directory = directory

    def run(self, id: str, bundle: str, stdio: Stdio) -> Attached:
        """See Runtime. Raises RuntimeMissing."""
        log = f"{bundle}/runtime.log"
        words = ["--log", log, "--log-format", "json", "run", "--bundle", bundle, id]
        files.make_directory(self._directory)
        return _Attached(self._start(words, stdio), log)

    def delete(self, id: str) -> None:
        """See Runtime."""
        if not os.path.exists(f"{self._directory}/{id}"):
            return
        self._start(["delete", "--force", id], Stdio(stdout=None, stderr=None)).wait()
        files.remove_tree(f"{self._directory}/{id}")

    def _start(self, words: list[str], stdio: Stdio) -> subprocess.Popen[bytes]:
        chosen = (stdio.stdin, stdio.stdout, stdio.stderr)
        streams = [subprocess.DEVNULL if descriptor is None else descriptor for descriptor in chosen]
        # A group of its own, so that a key pressed at the terminal is passed on once, by us. But who reads
        # from a terminal must stay in the group that owns it.
        group = None if stdio.stdin is not None and os.isatty(stdio.stdin) else 0
        files.act("spawn", words[-1])
        try:
            return subprocess.Popen(
                [self.program, "--root", self._directory, *words],
                stdin=streams[0],
                stdout=streams[1],
                stderr=streams[2],
                cwd="/",
                env=_ENVIRONMENT,
                process_group=group,
            )
        except FileNotFoundError:
            raise RuntimeMissing(
                f"{self.program}: no such runtime", advice="Install runc or crun."
            ) from None


class _Attached:
    """`runc run` in the foreground: it passes signals on, and exits as the container does."""

    def __init__(self, process: subprocess.Popen[bytes], log: str) -> None:
        self._process = process
        self._log = log

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        code = self._process.wait()
        # The runtime's own failures share exit code 1 with the container's; only its log tells them apart.
        reason = _failure(self._log) if code else None
        if reason is not None:
            raise StartFailed(reason)
        return 128 - code if code < 0 else code


def _failure(log: str) -> str | None:
    """The last error in a runtime's log, None for none."""
    try:
        with open(log, encoding="utf-8", errors="replace") as file:
            lines = file.read(1 << 20).splitlines()
    except FileNotFoundError:
        return None
    for line in reversed(lines):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and record.get("level") == "error":
            return str(record.get("msg", "")).replace("runc run failed", "runc create failed", 1)
    return None
