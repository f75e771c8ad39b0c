"""`mille system events`."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from millefeuille.annotations import Final
from millefeuille.docker.filters import Filters
from millefeuille.docker.formatted import InvalidFormat, execute, parse
from millefeuille.docker.jsontext import marshal
from millefeuille.docker.shapes.event import EngineEvent, event_json, event_line
from millefeuille.docker.shapes.event_struct import event_struct
from millefeuille.docker.timestamp import parse_time, sent_time
from millefeuille.engine.store import founded
from millefeuille.errors import Invalid
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import FORMAT_HELP, filters, string
from millefeuille.store import events as recorded
from millefeuille.store.events import StoredEvent
from millefeuille.store.journal import Happening, Reader
from millefeuille.store.store import Store

FILTER = filters("filter", "Filter output based on conditions provided", short="f")
FORMAT = string("format", FORMAT_HELP)
SINCE = string("since", "Show all events created since timestamp")
UNTIL = string("until", "Stream events until this timestamp")


_BLANK: Final = EngineEvent(type="", action="", id="", time=0)
_POLL: Final = 0.2  # seconds between two looks
_OBJECTS: Final = ("container", "daemon", "network", "volume")  # by the beginning of an ID or a name
_OPEN: Final = frozenset({"exec_create", "exec_start", "health_status"})
_FILTERS: Final = frozenset(
    {"container", "daemon", "event", "image", "label", "network", "scope", "type", "volume"}
)


def run(context: Context, call: Call) -> int:
    """Print what happened since a time, and go on until stopped or until another time."""
    show = _renderer(call[FORMAT])
    now = time.time_ns()
    with exits.refusing():
        since = parse_time(call[SINCE], now) if call[SINCE] else (0 if call[UNTIL] else now)
        until = parse_time(call[UNTIL], now) if call[UNTIL] else None
    filters = Filters.parse(f"{name}={value}" for name, value in call[FILTER])
    if call[SINCE] and until is not None and until < since:
        after, before = sent_time(call[SINCE], now), sent_time(call[UNTIL], now)
        raise Invalid(f"`since` time ({after}) cannot be after `until` time ({before})")
    filters.check(_FILTERS)
    store = founded(context.settings)
    fresh = _source(store)
    while True:
        for event in fresh():
            if event.time >= since and (until is None or event.time <= until) and _wanted(event, filters):
                context.terminal.line(show(event))
        context.terminal.flush()
        if until is not None and time.time_ns() >= until:
            return 0
        time.sleep(_POLL)


def _source(store: Store) -> Callable[[], list[EngineEvent]]:
    """What has happened since the last call: to images as the database has it, to the rest by the journal."""
    seen, journal = 0, Reader(store.disk.journal)

    def fresh() -> list[EngineEvent]:
        nonlocal seen
        with store.reading() as tx:
            found: list[StoredEvent | Happening] = [*recorded.since(tx, seen)]
        seen = max((one.id for one in found if isinstance(one, StoredEvent)), default=seen)
        found += journal.fresh()
        return [_shown(one) for one in sorted(found, key=lambda one: one.at_ns)]

    return fresh


def _renderer(template: str) -> Callable[[EngineEvent], str]:
    if not template:
        return event_line
    if template == "json":
        return lambda event: marshal(event_json(event))
    try:
        parsed = parse(template)
        execute(parsed, event_struct(_BLANK))  # as Docker does, whether or not anything has happened
    except InvalidFormat as error:
        said = str(error).removeprefix("template parsing error: ")
        raise Refusal(f"Error parsing format: {said}", code=exits.TEMPLATE) from error
    return lambda event: execute(parsed, event_struct(event))


def _wanted(event: EngineEvent, filters: Filters) -> bool:
    """Whether an event passes; values of one filter are alternatives."""
    name = event.attributes.get("name", "")
    image = name if event.type == "image" else event.attributes.get("image", "")
    found = {
        "type": (event.type,), "image": (event.id, image, event.id[7:19]),
        "scope": ("local",),
    }  # fmt: skip
    if not filters.accepts_labels(event.attributes) or not _is_asked(event.action, filters.get("event")):
        return False
    return all(
        set(filters.get(key)) & set(values) for key, values in found.items() if key in filters
    ) and all(
        any(text.startswith(tuple(filters.get(key))) for text in (event.id, name))
        for key in _OBJECTS if key in filters
    )  # fmt: skip


def _is_asked(action: str, asked: Collection[str]) -> bool:
    # Where one of those with something behind a colon is asked for, the beginning of a word is enough.
    if _OPEN & set(asked):
        return action.startswith(tuple(asked))
    return not asked or action in asked


def _shown(event: StoredEvent | Happening) -> EngineEvent:
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
