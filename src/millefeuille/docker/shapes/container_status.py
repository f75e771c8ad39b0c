"""What `ps` says a container does: `Up 3 seconds (healthy)`, `Exited (137) 2 hours ago`.

Source: moby v28.2.2, container/state.go.
"""

from __future__ import annotations

from millefeuille.containers.record import NEVER
from millefeuille.containers.state import State
from millefeuille.docker import rfc3339
from millefeuille.docker.age import human_duration

NO_HEALTH = "none"


def status_text(state: State, now: float) -> str:
    """The STATUS of `ps`; `now` is Unix seconds."""
    match state.status:
        case "paused":
            return f"Up {_since(state.started, now)} (Paused)"
        case "restarting":
            return f"Restarting ({state.exit_code}) {_since(state.finished, now)} ago"
        case "running":
            return f"Up {_since(state.started, now)}{_health(state)}"
        case "removing":
            return "Removal In Progress"
        case "dead":
            return "Dead"
    if state.started == NEVER:
        return "Created"
    if state.finished == NEVER:
        return ""
    return f"Exited ({state.exit_code}) {_since(state.finished, now)} ago"


def health_status(state: State) -> str:
    """none, starting, healthy or unhealthy."""
    return str((state.health or {}).get("Status") or NO_HEALTH)


def _health(state: State) -> str:
    if state.health is None:
        return ""
    status = health_status(state)
    return f" (health: {status})" if status == "starting" else f" ({status})"


def _since(moment: str, now: float) -> str:
    return human_duration(now - (rfc3339.nanoseconds(moment) or 0) / rfc3339.SECOND)
