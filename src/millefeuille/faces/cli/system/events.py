"""`mille system events`."""

from __future__ import annotations

import time
from collections.abc import Callable

from millefeuille.annotations import Final
from millefeuille.docker.filters import Filters
from millefeuille.docker.formatted import execute, parse
from millefeuille.docker.jsontext import marshal
from millefeuille.docker.shapes.event import EngineEvent, event_json, event_line
from millefeuille.docker.shapes.event_struct import event_struct
from millefeuille.docker.timestamp import parse_time
from millefeuille.engine.store import founded
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import FORMAT_HELP, filters, string
from millefeuille.store import events as recorded
from millefeuille.store.events import StoredEvent

FILTER = filters("filter", "Filter output based on conditions provided", short="f")
FORMAT = string("format", FORMAT_HELP)
SINCE = string("since", "Show all events created since timestamp")
UNTIL = string("until", "Stream events until this timestamp")


_POLL: Final = 0.2  # seconds between two looks
_OBJECTS: Final = ("container", "daemon", "network", "volume")  # by the beginning of an ID or a name
_FILTERS: Final = frozenset(
    {"container", "daemon", "event", "image", "label", "network", "scope", "type", "volume"}
)


def run(context: Context, call: Call) -> int:
    """Print what happened since a time, and go on until stopped or until another time."""
    now = time.time_ns()
    since = parse_time(call[SINCE], now) if call[SINCE] else (0 if call[UNTIL] else now)
    until = parse_time(call[UNTIL], now) if call[UNTIL] else None
    filters = Filters.parse(f"{name}={value}" for name, value in call[FILTER])
    filters.check(_FILTERS)
    show = _renderer(call[FORMAT])
    store = founded(context.settings)
    seen = 0
    while True:
        with store.reading() as tx:
            fresh = tuple(recorded.since(tx, seen))
        for event in fresh:
            seen = event.id
            if event.at_ns >= since and (until is None or event.at_ns <= until) and _wanted(event, filters):
                context.terminal.line(show(_shown(event)))
        context.terminal.flush()
        if until is not None and time.time_ns() >= until:
            return 0
        time.sleep(_POLL)


def _renderer(template: str) -> Callable[[EngineEvent], str]:
    if not template:
        return event_line
    if template == "json":
        return lambda event: marshal(event_json(event))
    with exits.refusing(exits.TEMPLATE):
        parsed = parse(template)
    return lambda event: execute(parsed, event_struct(event))


def _wanted(event: StoredEvent, filters: Filters) -> bool:
    """Whether an event passes; values of one filter are alternatives."""
    name = event.attributes.get("name", "")
    image = name if event.kind == "image" else event.attributes.get("image", "")
    found = {
        "event": (event.action,), "type": (event.kind,), "image": (event.actor, image, event.actor[7:19]),
        "scope": ("local",),
    }  # fmt: skip
    if not filters.accepts_labels(event.attributes):
        return False
    return all(
        set(filters.get(key)) & set(values) for key, values in found.items() if key in filters
    ) and all(
        any(text.startswith(tuple(filters.get(key))) for text in (event.actor, name))
        for key in _OBJECTS if key in filters
    )  # fmt: skip


def _shown(event: StoredEvent) -> EngineEvent:
    return EngineEvent(
        type=event.kind, action=event.action, id=event.actor, time=event.at_ns, attributes=event.attributes
    )


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        FILTER,
        FORMAT,
        SINCE,
        UNTIL,
    ),
    run=run,
)
