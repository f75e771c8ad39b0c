"""`mille completion`."""

from __future__ import annotations

from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal


def run(context: Context, call: Call) -> int:
    """Print the script for one shell."""
    raise Refusal("x")


COMMAND = Command(usage="SHELL", arguments=exactly(1), run=run, complete=("bash", "fish", "zsh"))
