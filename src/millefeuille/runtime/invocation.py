"""Invocation: the runtime's program called with some words, and why it failed."""

from __future__ import annotations

import os
import select
from collections.abc import Sequence

from millefeuille import files
from millefeuille.annotations import Any, Final
from millefeuille.errors import Unsupported
from millefeuille.later import subprocess
from millefeuille.plainjson import loads
from millefeuille.runtime.runtime import Refused, Stdio
from millefeuille.values import dataclass

# The runtime's environment is built from nothing: none of ours may reach it, or through it a container.
_ENVIRONMENT: Final = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
_UMASK: Final = 0o022  # a container has that of Docker's daemon, not of whoever calls us
_LONGEST: Final = 1 << 20  # bytes of a log


class RuntimeMissing(Unsupported):
    """The runtime's program is not installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The runtime at `path`, always called with `options`, which say where its state is."""

    path: str
    options: tuple[str, ...] = ()

    def start(self, words: Sequence[str], stdio: Stdio) -> subprocess.Popen[bytes]:
        """Call it, and do not wait. Raises RuntimeMissing."""
        chosen = (stdio.stdin, stdio.stdout, stdio.stderr)
        streams = [subprocess.DEVNULL if descriptor is None else descriptor for descriptor in chosen]
        # A group of its own, so that a key pressed at the terminal is passed on once, by us. But who reads
        # from a terminal must stay in the group that owns it.
        group = None if stdio.stdin is not None and os.isatty(stdio.stdin) else 0
        files.act("spawn", words[-1])
        try:
            return subprocess.Popen(
                [self.path, *self.options, *words],
                stdin=streams[0],
                stdout=streams[1],
                stderr=streams[2],
                cwd="/",
                env=_ENVIRONMENT,
                process_group=group,
                umask=_UMASK,
            )
        except FileNotFoundError:
            raise self._missing() from None

    def output(self, words: Sequence[str], *, given: bytes = b"") -> bytes:
        """Call it to its end with `given` as input; what it prints. Raises Refused, RuntimeMissing."""
        files.act("spawn", words[-1])
        try:
            done = subprocess.run(
                [self.path, *self.options, "--log-format", "json", *words],
                input=given,
                capture_output=True,
                cwd="/",
                env=_ENVIRONMENT,
                process_group=0,
                umask=_UMASK,
            )
        except FileNotFoundError:
            raise self._missing() from None
        if done.returncode:
            text = done.stderr.decode(errors="replace")
            raise Refused(last_error(text) or text.strip() or f"exit code {done.returncode}")
        return done.stdout

    def _missing(self) -> RuntimeMissing:
        return RuntimeMissing(f"{self.path}: no such runtime", advice="Install runc or crun.")


def ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether a child of this process has ended, as soon as it has, or after `seconds`."""
    if process.poll() is not None:
        return True
    descriptor = os.pidfd_open(process.pid)
    try:
        # `Popen.wait` with a time would look now and then only.
        poller = select.poll()
        poller.register(descriptor, select.POLLIN)
        poller.poll(seconds * 1000)
    finally:
        os.close(descriptor)
    return process.poll() is not None


def failure(log: str) -> str | None:
    """The last error in the runtime's log at a path, in runc's words for creating; None for none."""
    try:
        with open(log, encoding="utf-8", errors="replace") as file:
            text = file.read(_LONGEST)
    except FileNotFoundError:
        return None
    reason = last_error(text)
    return None if reason is None else reason.replace("runc run failed", "runc create failed", 1)


def last_error(text: str) -> str | None:
    """The last error among a log's JSON lines."""
    for line in reversed(text.splitlines()):
        try:
            record: Any = loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and record.get("level") == "error":
            return str(record.get("msg", ""))
    return None
