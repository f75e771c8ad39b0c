"""`mille dive build`: `mille build`, and what was built is shown, or held against rules."""

from __future__ import annotations

from millefeuille.analysis.rules import DiveRules
from millefeuille.errors import MilleError
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.analyze import dive, gates
from millefeuille.faces.cli.analyze.subject import analysed
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.image import build


def run(context: Context, call: Call) -> int:
    """Build, then analyse; a failed build ends with its own exit code, an analysis that cannot run with 2."""
    code, image = build.made(context, call)
    if code or image is None:
        return code
    try:
        code = _analysed(context, str(image))
        context.terminal.flush()
    except MilleError as error:
        exits.report(context.terminal, error)
        return dive.FAILED
    return code


def _analysed(context: Context, image: str) -> int:
    subject = analysed(context, image)
    if dive.in_ci(context):
        rules = gates.read_rules(dive.CI_CONFIG.default, must_exist=False) or DiveRules()
        return dive.judged(context, subject, rules)
    dive.shown(context, subject)
    return 0


COMMAND = Command(
    usage=build.COMMAND.usage, arguments=exactly(1), options=build.COMMAND.options, run=run,
    complete=build.COMMAND.complete,
)  # fmt: skip
