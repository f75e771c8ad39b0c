"""State: what a container is doing, or how it ended; Docker's `State` object."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.containers.record import NEVER
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`status` is created, running, paused, restarting, removing, exited or dead. Times are RFC 3339.

    `health` is Docker's `Health` object, None for a container without a health check.
    """

    status: str = "created"
    pid: int = 0
    exit_code: int = 0
    error: str = ""
    oom_killed: bool = False
    started: str = NEVER
    finished: str = NEVER
    restarts: int = 0
    health: Mapping[str, Any] | None = None

    @property
    def running(self) -> bool:
        """Whether its process lives, paused or not."""
        return self.status in ("running", "paused", "restarting")


def encode(state: State) -> dict[str, Any]:
    """Docker's `State`, and the number of restarts."""
    told: dict[str, Any] = {
        "Status": state.status,
        "Running": state.running,
        "Paused": state.status == "paused",
        "Restarting": state.status == "restarting",
        "OOMKilled": state.oom_killed,
        "Dead": state.status == "dead",
        "Pid": state.pid,
        "ExitCode": state.exit_code,
        "Error": state.error,
        "StartedAt": state.started,
        "FinishedAt": state.finished,
        "RestartCount": state.restarts,
    }
    if state.health is not None:
        told["Health"] = state.health
    return told


_KINDS: Final = {
    **dict.fromkeys(("Status", "Error", "StartedAt", "FinishedAt"), str),
    **dict.fromkeys(("Pid", "ExitCode", "RestartCount"), int),
    "OOMKilled": bool,
}


def decode(value: Mapping[str, Any]) -> State:
    """The state that `encode` wrote. Raises KeyError, TypeError for anything else."""
    for key, kind in _KINDS.items():
        if not isinstance(value[key], kind):
            raise TypeError(f"{key} is of the wrong type")
    if not isinstance(value.get("Health", {}), dict):
        raise TypeError("Health is of the wrong type")
    return State(
        status=value["Status"], pid=value["Pid"], exit_code=value["ExitCode"], error=value["Error"],
        oom_killed=value["OOMKilled"], started=value["StartedAt"], finished=value["FinishedAt"],
        restarts=value["RestartCount"], health=value.get("Health"),
    )  # fmt: skip
