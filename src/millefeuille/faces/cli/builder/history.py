"""`mille builder history`, `mille build history`."""

from __future__ import annotations

import json
import time

from millefeuille.annotations import Any
from millefeuille.build.journal import Account, parse
from millefeuille.docker.age import ago
from millefeuille.docker.table import table
from millefeuille.docker.units import human_size
from millefeuille.engine.store import existing
from millefeuille.errors import NotFound
from millefeuille.faces.cli.command import Call, Command, Context, at_most
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import boolean, string
from millefeuille.store import builds

FORMAT = string("format", "Format the output (json)")
QUIET = boolean("quiet", "Only show IDs", short="q")


class NoSuchBuild(NotFound):
    """No build has this ID."""


def run(context: Context, call: Call) -> int:
    """List builds, the newest first; or the steps of one, with their times and sizes."""
    if call[FORMAT] not in ("", "json"):
        raise Refusal(f'invalid format "{call[FORMAT]}": use json')
    found = _accounts(context)
    if call.arguments:
        one = _find(found, call.arguments[0])
        context.terminal.write(one.text() + "\n" if call[FORMAT] else _steps(one))
    elif call[QUIET]:
        context.terminal.write("".join(f"{one.id}\n" for one in found))
    elif call[FORMAT]:
        context.terminal.write("".join(f"{json.dumps(_summary(one))}\n" for one in found))
    else:
        context.terminal.write(_list(found))
    return 0


def _accounts(context: Context) -> list[Account]:
    store = existing(context.settings)
    if store is None:
        return []
    with store.reading() as tx:
        records = list(builds.builds(tx))
    found = []
    for record in records:
        try:
            found.append(parse(record.record))
        except (ValueError, TypeError, KeyError):  # of another version
            continue
    return found


def _find(found: list[Account], text: str) -> Account:
    fitting = [one for one in found if one.id.startswith(text)]
    if len(fitting) != 1:
        raise NoSuchBuild(f"No such build: {text}")
    return fitting[0]


def _list(found: list[Account]) -> str:
    now = time.time()
    header = ("BUILD ID", "NAME", "STATUS", "STEPS", "CACHED", "CREATED", "DURATION")
    rows = [
        (
            one.id, one.name, one.status, str(len(one.entries)), str(_cached(one)),
            ago(one.started / 1e9, now), f"{(one.ended - one.started) / 1e9:.1f}s",
        )
        for one in found
    ]  # fmt: skip
    return table(header, rows)


def _steps(one: Account) -> str:
    header = ("STAGE", "STEP", "OUTCOME", "TIME", "LAYER", "INSTRUCTION")
    rows = [
        (
            entry.stage, str(entry.place), entry.outcome, f"{entry.took:.2f}s",
            human_size(entry.size) if entry.layer else "-", " ".join(entry.text.split()),
        )
        for entry in one.entries
    ]  # fmt: skip
    came = one.error or one.image
    last = f"\n{one.status}: {came}\n" if came else f"\n{one.status}\n"
    return table(header, rows) + last


def _cached(one: Account) -> int:
    return sum(entry.outcome == "cached" for entry in one.entries)


def _summary(one: Account) -> dict[str, Any]:
    return {
        "ID": one.id, "Name": one.name, "Status": one.status, "Steps": len(one.entries),
        "Cached": _cached(one), "Started": one.started, "Ended": one.ended, "Image": one.image,
    }  # fmt: skip


COMMAND = Command(
    usage="[OPTIONS] [BUILD]",
    arguments=at_most(1),
    options=(FORMAT, QUIET),
    run=run,
)
