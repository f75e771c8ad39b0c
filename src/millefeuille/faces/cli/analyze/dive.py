"""`mille dive`: Dive's flags, files and words, for scripts that were written for it."""

from __future__ import annotations

import math
import os

import millefeuille
from millefeuille import files
from millefeuille.analysis.rules import FAIL, DiveRules, Outcome, dive_outcomes
from millefeuille.analysis.schema import Document
from millefeuille.annotations import Final
from millefeuille.errors import NotFound
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.analyze import gates
from millefeuille.faces.cli.analyze.report_text import report_text, shown_path
from millefeuille.faces.cli.analyze.subject import SOURCE_HELP, Subject, analysed
from millefeuille.faces.cli.analyze.view import has_terminal, view
from millefeuille.faces.cli.command import Call, Command, Context, at_most
from millefeuille.faces.cli.options import Option, boolean, string

BROKEN = 1
FAILED = 2
# The Dive that this one is in numbers and words: scripts look for it.
VERSION_LINE: Final = f"dive 0.13.1 (mille {millefeuille.__version__})"
_ON: Final = ("true", "t", "1", "yes")  # Go's ParseBool in any letters, and a word of ours
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB", "EB")

CI = boolean("ci", "Validate against CI rules (same as env var CI=true)")
CI_CONFIG = string(
    "ci-config", "Drive validation rules from the given yaml", default=".dive-ci", complete="file"
)
CONFIG = string("config", "Read how the view begins from this file, in place of Dive's", complete="file")
EFFICIENCY = string(
    "lowestEfficiency", "Lowest allowable image efficiency (as a ratio between 0-1)", default="0.9"
)
IGNORE = boolean(
    "ignore-errors", "Accepted, and of no effect: no image is refused for what this ignores", short="i"
)
NO_TUI = boolean("no-tui", "Print a report, on a terminal too")
JSON = string("json", "Write the layer analysis statistics to a given file", short="j", complete="file")
PLATFORM = string("platform", 'Analyze the given platform variant. Formatted as "os[/arch[/variant]]"')
SOURCE = string("source", SOURCE_HELP)
USER_WASTED = string(
    "highestUserWastedPercent", "Highest allowable percentage of bytes wasted (as a ratio between 0-1)",
    default="0.1",
)  # fmt: skip
VERSION = boolean("version", "Print the version of Dive that this is like", short="v")
WASTED = string("highestWastedBytes", "Highest allowable bytes wasted", default="disabled")


class NoConfiguration(NotFound):
    """The file that is to say how the view begins is not there."""


def run(context: Context, call: Call) -> int:
    """Do what Dive does with these flags; exit 2 where the analysis cannot run."""
    if call[VERSION]:
        context.terminal.line(VERSION_LINE)
        return 0
    if not call.arguments:
        advice = f"Run '{context.path} --help' for more information"
        raise exits.Refusal("No image argument given", advice=advice)
    if call[CONFIG] and not os.path.exists(call[CONFIG]):
        raise NoConfiguration(f"open {call[CONFIG]}: no such file or directory")
    rules = _rules(call) if call[CI] or in_ci(context) else None
    subject = analysed(context, call.arguments[0], source=call[SOURCE], platform=call[PLATFORM], glance=True)
    if call[JSON]:
        files.put_file(call[JSON], bytes(subject.dive_json()))
    if rules is None:
        if not call[JSON]:
            shown(context, subject, plain=call[NO_TUI], config=call[CONFIG])
        return 0
    return judged(context, subject, rules)


def in_ci(context: Context) -> bool:
    """Whether the surroundings ask for rules."""
    return context.settings.environment.get("CI", "").lower() in _ON


def shown(context: Context, subject: Subject, *, plain: bool = False, config: str = "") -> None:
    """Let somebody look around in an image, or report on it; `config` is as for `view`."""
    if not plain and has_terminal(context):
        view(context, subject, config=config)
    else:
        context.terminal.write(report_text(subject.document, score="dive"))


def judged(context: Context, subject: Subject, rules: DiveRules) -> int:
    """Hold an image against rules, and say what came of it; the exit code."""
    verdicts = dive_outcomes(rules, subject.document)
    context.terminal.write(_analysis(subject.document) + gates.lines(verdicts))
    return BROKEN if _failed(verdicts) else 0


def _rules(call: Call) -> DiveRules:
    """The rules: flags that were given go before the file, and that before the defaults."""
    read = gates.read_rules(call[CI_CONFIG], must_exist=call.given(CI_CONFIG)) or DiveRules()

    def chosen(option: Option[str], otherwise: str) -> str:
        return call[option] if call.given(option) else otherwise

    return DiveRules(
        lowest_efficiency=chosen(EFFICIENCY, read.lowest_efficiency),
        highest_wasted_bytes=chosen(WASTED, read.highest_wasted_bytes),
        highest_user_wasted_percent=chosen(USER_WASTED, read.highest_user_wasted_percent),
    )


def _analysis(found: Document) -> str:
    dive = found["score"]["dive"]
    size, wasted = dive["userSizeBytes"], dive["wastedBytes"]
    share = wasted / size if size else math.inf if wasted else math.nan
    percent = f"{share * 100:.4f}" if math.isfinite(share) else "+Inf" if wasted else "NaN"
    rows = [
        f"{each['count']:>5}  {_human(each['sizeBytes']):>12}  {_shown(each['path'])}\n"
        for each in dive["inefficiencies"]
    ]
    return (
        f"Analysis:\n  efficiency: {dive['efficiency'] * 100:.4f} %\n"
        f"  wastedBytes: {wasted} bytes ({_human(wasted)})\n  userWastedPercent: {percent} %\n"
        f"Inefficient Files:\nCount  Wasted Space  File Path\n{''.join(rows) or 'None' + chr(10)}"
    )


def _shown(path: str) -> str:
    """A path as Dive prints it, but for one that would steer the screen or forge a line."""
    return path if path.isprintable() else shown_path(path)


def _human(size: int) -> str:
    """A size as go-humanize writes it: two digits at least, `1.0 kB`, `12 MB`."""
    value, unit = float(size), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    if not unit:
        return f"{size} B"
    value = math.floor(value * 10 + 0.5) / 10
    return f"{value:.1f} {_UNITS[unit]}" if value < 10 else f"{value:.0f} {_UNITS[unit]}"


def _failed(verdicts: tuple[Outcome, ...]) -> bool:
    return any(verdict.status == FAIL for verdict in verdicts)


COMMAND = Command(
    usage="[OPTIONS] IMAGE",
    arguments=at_most(1),
    options=(
        CI,
        CI_CONFIG,
        CONFIG,
        USER_WASTED,
        WASTED,
        IGNORE,
        JSON,
        EFFICIENCY,
        NO_TUI,
        PLATFORM,
        SOURCE,
        VERSION,
    ),
    run=run,
    complete="image",
    failure=FAILED,
)
