"""`mille system check`."""

from __future__ import annotations

from millefeuille.errors import Unsupported
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import boolean

DATA = boolean("data", "Read every byte again and compare it with its digest")
REPAIR = boolean("repair", "Rebuild what can be made again, and set aside what is damaged")


def run(context: Context, call: Call) -> int:
    """Compare the store with what its database says."""
    raise Unsupported(f"`{context.path}` is not available in this version")


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        DATA,
        REPAIR,
    ),
    run=run,
)
