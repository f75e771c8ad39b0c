"""`mille builder du`."""

from __future__ import annotations

import json
import time

from millefeuille.docker.age import ago
from millefeuille.docker.table import table
from millefeuille.docker.units import human_size
from millefeuille.engine.store import existing
from millefeuille.faces.cli.builder.cached import held
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.options import string
from millefeuille.values import asdict

FORMAT = string("format", "Format the output (json)")


def run(context: Context, call: Call) -> int:
    """Show what the build cache holds, what was used last first, and what a prune would free."""
    if call[FORMAT] not in ("", "json"):
        raise Refusal(f'invalid format "{call[FORMAT]}": use json')
    store = existing(context.settings)
    found = held(context.settings, store) if store is not None else []
    if call[FORMAT]:
        context.terminal.write("".join(f"{json.dumps(asdict(one))}\n" for one in found))
        return 0
    now = time.time()
    header = ("ID", "TYPE", "SIZE", "LAST USED", "USAGE", "SHARED", "DESCRIPTION")
    rows = [
        (
            one.id, one.kind, human_size(one.size), ago(one.used, now), str(one.uses),
            str(one.shared).lower(), one.description,
        )
        for one in found
    ]  # fmt: skip
    context.terminal.write(table(header, rows))
    free = sum(one.size for one in found if not one.shared and not one.in_use)
    context.terminal.line(f"\nReclaimable:\t{human_size(free)}")
    context.terminal.line(f"Total:\t\t{human_size(sum(one.size for one in found))}")
    return 0


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(FORMAT,),
    run=run,
)
