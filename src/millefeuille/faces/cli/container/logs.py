"""`mille container logs`."""

from __future__ import annotations

import time
from collections.abc import Mapping

from millefeuille.containers import logs, records
from millefeuille.docker.timestamp import InvalidTime, parse_time
from millefeuille.engine.place import place
from millefeuille.engine.store import open_store
from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import Option, boolean, string
from millefeuille.later import parse

_TIME = '{} timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'
DETAILS = boolean("details", "Show extra details provided to logs")
FOLLOW = boolean("follow", "Follow log output", short="f")
SINCE = string("since", _TIME.format("Show logs since"))
TAIL = string("tail", "Number of lines to show from the end of the logs", short="n", default="all")
TIMESTAMPS = boolean("timestamps", "Show timestamps", short="t")
UNTIL = string("until", _TIME.format("Show logs before a"))


def run(context: Context, call: Call) -> int:
    """Print what a container has written, and with --follow what it writes until its end."""
    where = place(context.settings)
    container = records.find(open_store(context.settings), where, call.arguments[0])
    since, until = _moment(call, SINCE), _moment(call, UNTIL)
    if (container.host_config.get("LogConfig") or {}).get("Type") == "none":
        raise Unsupported("configured logging driver does not support reading")
    follow = call[FOLLOW] and records.state(where, container.id).running
    found = logs.read(
        where.log(container.id), tail=_count(call[TAIL]), since=since, until=until,
        alive=(lambda: records.is_alive(where, container.id)) if follow else None,
    )  # fmt: skip
    one_stream, timed, detailed = bool(container.config.get("Tty")), call[TIMESTAMPS], call[DETAILS]
    for record in found:
        text = record.text
        if detailed:
            text = _details(record.attributes) + text
        if timed:
            text = f"{record.time} {text}"
        if record.stream == "stderr" and not one_stream:
            context.terminal.flush()
            context.terminal.stderr.write(text)
            context.terminal.stderr.flush()
        else:
            context.terminal.write(text)
            if follow:
                context.terminal.flush()
    return 0


def _details(attributes: Mapping[str, str]) -> str:
    """What each line carries, and a blank."""
    pairs = (f"{parse.quote_plus(name)}={parse.quote_plus(attributes[name])}" for name in sorted(attributes))
    return f"{','.join(pairs)} "


def _moment(call: Call, option: Option[str]) -> int | None:
    if call[option] in ("", "0"):  # for Docker's engine, neither is a time
        return None
    try:
        return parse_time(call[option], time.time_ns())
    except InvalidTime as error:
        raise Refusal(f'invalid value for "{option.name}": {error}') from error


def _count(text: str) -> int | None:
    """As many lines as the text says; all for what is no such number."""
    sign = text[:1] in ("+", "-")
    digits = text[1:] if sign else text
    if not (digits.isascii() and digits.isdecimal()) or text[:1] == "-":
        return None
    return int(digits)


COMMAND = Command(
    usage="[OPTIONS] CONTAINER",
    arguments=exactly(1),
    options=(DETAILS, FOLLOW, SINCE, TAIL, TIMESTAMPS, UNTIL),
    run=run,
    complete="container",
)
