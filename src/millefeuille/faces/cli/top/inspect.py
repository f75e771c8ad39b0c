"""`mille inspect`."""

from __future__ import annotations

from typing import Any

from millefeuille.docker.inspection import IMAGE, render
from millefeuille.errors import MilleError, NotFound
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Call, Command, Context, at_least
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.image.inspect import inspected
from millefeuille.faces.cli.options import FORMAT_HELP, boolean, string

FORMAT = string("format", FORMAT_HELP, short="f")
SIZE = boolean("size", "Display total file sizes if the type is container", short="s")
TYPE = string("type", "Only inspect objects of the given type")


def run(context: Context, call: Call) -> int:
    """Print what is known of each object; images are the only kind there is."""
    if call[TYPE] not in ("", "image"):
        raise Refusal(f'"{call[TYPE]}" is not a valid value for --type: this version has images only')
    if call[SIZE] and call[TYPE] == "image":
        context.terminal.complain("WARNING: --size ignored for image")
    found: list[dict[str, Any]] = []
    problems: list[MilleError] = []
    for text in call.arguments:
        try:
            found.append(inspected(context.settings, text, None))
        except NotFound as error:
            problems.append(error if call[TYPE] else Refusal(f"Error: No such object: {text}"))
    with exits.refusing(exits.TEMPLATE):
        shown, misfits = render(found, call[FORMAT], IMAGE)
    context.terminal.write(shown)
    for problem in (*misfits, *problems):
        exits.report(context.terminal, problem)
    return 1 if problems or misfits else 0


COMMAND = Command(
    usage="[OPTIONS] NAME|ID [NAME|ID...]",
    arguments=at_least(1),
    options=(
        FORMAT,
        SIZE,
        TYPE,
    ),
    run=run,
    complete="image",
)
