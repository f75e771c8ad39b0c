"""`mille container top`."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.annotations import Final
from millefeuille.containers import records
from millefeuille.containers.happening import note
from millefeuille.containers.processes import listed
from millefeuille.engine.containers import host
from millefeuille.engine.store import open_store
from millefeuille.faces.cli.command import Call, Command, Context, at_least

_NARROWEST: Final = 20  # columns, of which at least three are blank
_GAP: Final = 3


def run(context: Context, call: Call) -> int:
    """Print the processes of a container, in the words of the host's ps."""
    name, *arguments = call.arguments
    made = host(context.settings, open_store(context.settings))
    container = records.find(made.store, made.place, name)
    note(made.store, container, "top")
    context.terminal.write(_aligned(listed(made, container, arguments)))
    return 0


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(_NARROWEST, *(len(cell) + _GAP for cell in cells)) for cells in zip(*rows, strict=True)]
    lines = (
        "".join(f"{cell:{width}}" for cell, width in zip(row[:-1], widths, strict=False)) + row[-1]
        for row in rows
    )
    return "".join(f"{line}\n" for line in lines)


COMMAND = Command(
    usage="CONTAINER [ps OPTIONS]", arguments=at_least(1), run=run, complete="container", interspersed=False
)
