"""`mille dive version`."""

from __future__ import annotations

from millefeuille.faces.cli.analyze.dive import FAILED, VERSION_LINE
from millefeuille.faces.cli.command import Call, Command, Context, exactly


def run(context: Context, call: Call) -> int:
    """Print what `mille dive --version` prints."""
    context.terminal.line(VERSION_LINE)
    return 0


COMMAND = Command(usage="", arguments=exactly(0), run=run, failure=FAILED)
