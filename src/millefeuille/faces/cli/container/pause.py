"""`mille container pause`."""

from __future__ import annotations

from millefeuille.containers import lifecycle
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.container.each import each


def run(context: Context, call: Call) -> int:
    """Pause all processes within one or more containers."""
    return each(context, call, lifecycle.pause)


COMMAND = Command(usage="CONTAINER [CONTAINER...]", arguments=at_least(1), run=run, complete="container")
