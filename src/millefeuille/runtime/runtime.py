"""Runtime: a bundle (an OCI runtime spec with its root file system) made a process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from millefeuille.errors import Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Stdio:
    """The three descriptors a process inherits; None is /dev/null."""

    stdin: int | None = None
    stdout: int | None = 1
    stderr: int | None = 2


# Docker's words for the way such an error takes through its parts.
_PREFIX: Final = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: "
)
_MISSING: Final = (
    "executable file not found",
    "no such file or directory",
    "system cannot find the file specified",
)


class StartFailed(Failed):
    """The runtime did not start the process. `exit_code` is what Docker's CLI exits with."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{_PREFIX}{reason}: unknown")
        self.exit_code = _exit_code(reason)


class Attached(Protocol):
    """A container that this process waits for."""

    def signal(self, number: int) -> None:
        """Send a signal to the container's first process; one that has not begun yet may not begin."""

    def wait(self) -> int:
        """The exit code, 128 + n when signal n ended it. Raises StartFailed."""


class Runtime(Protocol):
    """Containers by *id*, from one bundle each.

    `run` starts a container and keeps this process attached to it. `delete` promises that the container and
    its processes are gone: it may be repeated, and may be called for one that never started.
    """

    def run(self, id: str, bundle: str, stdio: Stdio) -> Attached:
        """Start the bundle's process."""

    def delete(self, id: str) -> None:
        """Kill what runs, and forget the container."""


def _exit_code(reason: str) -> int:
    """Source: docker/cli, cli/command/container/run.go, toStatusError."""
    if any(text in reason for text in _MISSING):
        return 127
    if "permission denied" in reason or "is a directory" in reason:
        return 126
    return 125
