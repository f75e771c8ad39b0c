"""`events`: what happened, as a line, as JSON, and for templates."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.docker import rfc3339
from millefeuille.values import dataclass, field

# Kinds that came after the members `status`, `id` and `from`.
BARE: Final = frozenset({"builder", "network", "volume"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineEvent:
    """Something that happened to an object, at `time` (nanoseconds since 1970)."""

    type: str
    action: str
    id: str
    time: int
    attributes: Mapping[str, str] = field(default_factory=dict)


def event_line(event: EngineEvent) -> str:
    """The event as Docker prints it, without a newline."""
    line = f"{rfc3339.local(event.time, fixed=True)} {event.type} {event.action} {event.id}"
    if not event.attributes:
        return line
    pairs = (f"{name}={event.attributes[name]}" for name in sorted(event.attributes))
    return f"{line} ({', '.join(pairs)})"


def event_json(event: EngineEvent) -> dict[str, Any]:
    """The object of `GET /events`, API 1.50."""
    old = {"status": event.action, "id": event.id, "from": event.attributes.get("image", "")}
    if event.type in BARE:
        old = {}
    elif event.type != "container":
        del old["from"]
    return {
        **{name: value for name, value in old.items() if value},
        "Type": event.type,
        "Action": event.action,
        "Actor": {"ID": event.id, "Attributes": dict(sorted(event.attributes.items()))},
        "scope": "local",
        "time": event.time // rfc3339.SECOND,
        "timeNano": event.time,
    }
