"""Runtime: a bundle (an OCI runtime spec with its root file system) made a process."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any, Final, Protocol
from millefeuille.errors import Failed
from millefeuille.values import dataclass


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
_TWO_KINDS: Final = (
    ": Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path"
    " exists and is the expected type"
)

_COMMA: Final = (
    "runc takes no comma in the path of the run directory: choose one with XDG_RUNTIME_DIR or MILLE_RUN."
)


class StartFailed(Failed):
    """The runtime did not start the process. `exit_code` is what Docker's CLI exits with."""

    def __init__(self, reason: str) -> None:
        hint = _TWO_KINDS if "not a directory" in reason.lower() else ""
        is_comma = "invalid namespace path" in reason and "," in reason
        super().__init__(f"{_PREFIX}{reason}: unknown{hint}", advice=_COMMA if is_comma else None)
        self.reason = reason
        self.exit_code = start_code(reason)


class ExecFailed(Failed):
    """The runtime did not start another process in a container. `exit_code` is Docker's: 127 for what is
    missing, else 126.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"OCI runtime exec failed: {reason}: unknown")
        self.exit_code = max(start_code(reason), 126)


class Refused(Failed):
    """The runtime did not do what it was asked to do to a container; its own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What a runtime says of a container: "created", "running", "paused" or "stopped"; its first process,
    or 0.
    """

    status: str
    pid: int


class Attached(Protocol):
    """A process in a container that this process waits for."""

    def signal(self, number: int) -> None:
        """Send it a signal; one that has not begun yet may not begin."""

    def wait(self) -> int:
        """The exit code, 128 + n when signal n ended it. Raises StartFailed, for an exec ExecFailed."""


class Running(Attached, Protocol):
    """A container's first process that this process waits for."""

    def ended(self, seconds: float) -> bool:
        """Whether it, and what runs it, has ended; waits for that as long as `seconds`."""


class Runtime(Protocol):
    """Containers by *id*, from one bundle each.

    A container is created, started, and deleted; `run` does the first two and keeps this process attached
    to it. After `create` the process waits in its container, and is a child of the nearest process that
    collects orphans. With a `console`, the path of a listening Unix socket, the runtime sends the
    terminal's descriptor there, and the streams of `stdio` are not used.
    """

    def run(self, id: str, bundle: str, stdio: Stdio) -> Running:
        """Create and start the bundle's process."""

    def create(self, id: str, bundle: str, stdio: Stdio, *, console: str | None = None) -> int:
        """Make the container; the ID of its first process. Raises StartFailed."""

    def start(self, id: str) -> None:
        """Let the process of a created container begin. Raises StartFailed."""

    def exec(self, id: str, process: Mapping[str, Any], directory: str, stdio: Stdio) -> Attached:
        """Run another process (an OCI `process`) in a running container; `directory` is empty, and for its
        files.
        """

    def exec_detached(
        self, id: str, process: Mapping[str, Any], directory: str, stdio: Stdio, *, console: str | None = None
    ) -> int:
        """The same without waiting; the ID of the process, whose parent is found as that of a created one.
        Raises ExecFailed.
        """

    def state(self, id: str) -> State | None:
        """How a container is; None when there is none."""

    def kill(self, id: str, number: int) -> None:
        """Send a signal to the container's first process. Raises Refused when it does not run."""

    def pause(self, id: str) -> None:
        """Freeze all of its processes. Raises Refused."""

    def resume(self, id: str) -> None:
        """Let them go on. Raises Refused."""

    def update(self, id: str, resources: Mapping[str, Any]) -> None:
        """Change the limits (an OCI `resources`) of a running container. Raises Refused."""

    def processes(self, id: str) -> list[int]:
        """The IDs of its processes, as the host has them. Raises Refused."""

    def group(self, id: str, parent: str = "") -> str:
        """The control group that a container is to have, below Docker's `CgroupParent` where one is given.
        Raises InvalidParent.
        """

    def delete(self, id: str) -> None:
        """Kill what runs, and forget the container: afterwards it and its processes are gone.

        It may be repeated, and may be called for one that never was.
        """


def start_code(reason: str) -> int:
    """The exit code of Docker's CLI for a container that was not started for this reason.

    Source: docker/cli, cli/command/container/run.go, toStatusError.
    """
    reason = reason.lower()  # crun begins with a capital letter
    if any(text in reason for text in _MISSING):
        return 127
    if "permission denied" in reason or "is a directory" in reason:
        return 126
    return 125
