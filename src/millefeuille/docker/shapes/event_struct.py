"""An event as the Go struct that templates see. Source: moby v28.2.2, api/types/events/events.go."""

from __future__ import annotations

from millefeuille.docker import rfc3339
from millefeuille.docker.shapes.event import BARE, EngineEvent
from millefeuille.docker.template.values import Integer, Struct, TypedMap


def event_struct(event: EngineEvent) -> Struct:
    """The struct for an event."""
    actor = Struct(
        type_name="events.Actor", fields={"ID": event.id, "Attributes": TypedMap(event.attributes)}
    )
    old = event.type not in BARE
    return Struct(
        type_name="events.Message",
        fields={
            "Status": event.action if old else "",
            "ID": event.id if old else "",
            "From": event.attributes.get("image", "") if event.type == "container" else "",
            "Type": event.type,
            "Action": event.action,
            "Actor": actor,
            "Scope": "local",
            "Time": Integer(event.time // rfc3339.SECOND),
            "TimeNano": Integer(event.time),
        },
        json_names={
            "Status": "status", "ID": "id", "From": "from", "Scope": "scope", "Time": "time",
            "TimeNano": "timeNano",
        },
        omit_empty=frozenset({"Status", "ID", "From", "Scope", "Time", "TimeNano"}),
        pointer=True,
    )  # fmt: skip
