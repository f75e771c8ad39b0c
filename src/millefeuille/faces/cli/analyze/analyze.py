"""`mille analyze`."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from millefeuille import files, later
from millefeuille.analysis.schema import Document
from millefeuille.errors import Invalid
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.analyze.subject import SOURCE_HELP, Subject, analysed
from millefeuille.faces.cli.analyze.view import has_terminal, view
from millefeuille.faces.cli.command import Call, Command, Context, between
from millefeuille.faces.cli.options import Option, boolean, repeated, string

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.analysis import rules
    from millefeuille.faces.cli.analyze import gates, report_forms, report_text
else:
    # Who asks for JSON of what was analysed before needs none of these.
    rules = later.Later("millefeuille.analysis.rules")
    gates = later.Later("millefeuille.faces.cli.analyze.gates")
    report_forms = later.Later("millefeuille.faces.cli.analyze.report_forms")
    report_text = later.Later("millefeuille.faces.cli.analyze.report_text")

BROKEN = 1  # the exit code of a broken rule, and of advice that changes files
FAILED = 2  # and of an analysis that could not run
_FORMS = ("text", "markdown", "junit", "sarif")


def _where(text: str, before: str) -> str:
    return "-" if text == "true" else text


ADVISE = boolean("advise", "Say what to do about the image, with the Dockerfile rewritten")
ALLOW = string("allow-growth", "With --compare, bytes that the image may grow by", default="0")
BUILD_ARG = repeated("build-arg", "With --verify, set a build-time variable")
CI = boolean("ci", "Hold the image against rules; exit 1 when one is broken")
CI_CONFIG = string("ci-config", "Read rules from a file", default=".dive-ci", complete="file")
COMPARE = string("compare", "Hold the image against another one", complete="image")
FILE = string("file", "With --advise, the Dockerfile of the image", short="f", complete="file")
FORM = string(
    "output", 'Form of the report ("text", "markdown", "junit", "sarif")', short="o", default="text"
)
HTML = string("html", "Write the report as one page for a browser, with a map of all files", complete="file")
JSON = Option(
    name="json", help="Write the whole analysis as JSON, to standard output or --json=FILE", short="",
    shape="", default="", read=_where,
)  # fmt: skip
MAX_LAYER = string("max-layer-size", "The most that a layer may hold (bytes, or 20MB)")
MAX_PATH = repeated("max-path-size", "The most that the image may have below a path (PATH=SIZE)")
MAX_SIZE = string("max-size", "The most that all layers may hold")
MAX_WASTE = string("max-waste", "The most avoidable waste")
MIN_EFFICIENCY = string("min-efficiency", "The least exact efficiency (0 to 1)")
NO_TUI = boolean("no-tui", "Print a report, on a terminal too")
NO_TRUNC = boolean("no-trunc", "Don't truncate output")
PLATFORM = string("platform", 'Analyze the given platform variant. Formatted as "os[/arch[/variant]]"')
SCORE = string("score", 'Whose numbers the report has ("exact", "dive")', default="exact")
SOURCE = string("source", SOURCE_HELP)
VERIFY = boolean("verify", "With --advise, build both Dockerfiles and compare what came of them")
_OF_VIEW = (COMPARE, PLATFORM, SOURCE)  # whoever says no more than this wants to look around
_RULES = (ALLOW, CI, CI_CONFIG, COMPARE, MAX_LAYER, MAX_PATH, MAX_SIZE, MAX_WASTE, MIN_EFFICIENCY)
# An empty value is mostly a variable that is not set: it must not pass for a rule that is kept.
_FILLED = (ALLOW, CI_CONFIG, COMPARE, FILE, HTML, JSON, MAX_LAYER, MAX_SIZE, MAX_WASTE, MIN_EFFICIENCY)


def run(context: Context, call: Call) -> int:
    """Report on an image's layers, and hold it against rules where some are asked for."""
    _check(call)
    if call[ADVISE]:
        return _advise(context, call)
    limits = _budgets(call) if any(call.given(option) for option in _RULES) else None
    subject = analysed(
        context, call.arguments[0], source=call[SOURCE], platform=call[PLATFORM], glance=not call[COMPARE]
    )
    exits.LEFT.append(subject)
    if call[JSON]:
        _put(context, call[JSON], subject.json())
    if call[HTML]:
        page = importlib.import_module("millefeuille.faces.cli.analyze.html.page").page
        _put(context, call[HTML], [page(subject.analysis)])
    other = analysed(context, call[COMPARE], platform=call[PLATFORM]) if call[COMPARE] else None
    if has_terminal(context) and not any(
        call.given(option) for option in COMMAND.options if option not in _OF_VIEW
    ):
        view(context, subject, other)
        return 0
    before = other.document if other is not None else None
    outcomes: tuple[rules.Outcome, ...] = ()
    if limits is not None:
        allowed = rules.parse_size(call[ALLOW])
        outcomes = gates.outcomes(subject, _dive_rules(context, call), limits, before, allowed=allowed)
    if "-" in (call[JSON], call[HTML]):
        # Standard output is a document of its own.
        if outcomes:
            context.terminal.complain(gates.lines(outcomes).rstrip("\n"))
    elif outcomes or not _is_silent(call):
        context.terminal.write(_report(call, subject.document, outcomes, before))
    return BROKEN if any(outcome.status == rules.FAIL for outcome in outcomes) else 0


def _check(call: Call) -> None:
    _check_values(call)
    if call[SCORE] not in ("exact", "dive"):
        raise Invalid(f'unknown score "{call[SCORE]}"', advice="The scores are exact and dive.")
    if call[FORM] not in _FORMS:
        raise Invalid(
            f'unknown form "{call[FORM]}"', advice=f"The forms are {', '.join(_FORMS)}; and --json."
        )
    if call[JSON] == "-" and call[FORM] != "text":
        raise Invalid("--json and --output both write to standard output", advice="Use --json=FILE.")
    if call[HTML] == "-" and call[FORM] != "text":
        raise Invalid("--html and --output both write to standard output", advice="Use --html=FILE.")
    if call[JSON] == "-" == call[HTML]:
        raise Invalid("--json and --html both write to standard output", advice="Use --html=FILE.")
    unasked = call[VERIFY] or call[FILE] or call[BUILD_ARG] or len(call.arguments) > 1
    if unasked and not call[ADVISE]:
        raise Invalid("a Dockerfile, a context and --verify are for --advise")
    if call[SCORE] != "exact" and call[FORM] != "text":
        raise Invalid(f"the form {call[FORM]} has exact numbers only", advice="Use --output text, or --json.")
    if call.given(ALLOW) and not call[COMPARE]:
        raise Invalid("--allow-growth is held against another image", advice="Name it with --compare.")
    if call[ADVISE] and (call[FORM] != "text" or call[HTML]):
        raise Invalid("--advise has the forms text and --json")
    if call[ADVISE] and any(call.given(option) for option in (*_RULES, SCORE)):
        raise Invalid("--advise takes no rules and no score")


def _check_values(call: Call) -> None:
    empty = [option.name for option in _FILLED if call.given(option) and not call[option]]
    if "" in call[MAX_PATH]:
        empty.append(MAX_PATH.name)
    if empty:
        raise Invalid(f"--{empty[0]} has an empty value")


def _advise(context: Context, call: Call) -> int:
    # What reads and builds Dockerfiles is loaded by those who ask for advice only.
    advice = importlib.import_module("millefeuille.faces.cli.analyze.advice")
    subject: Subject = analysed(context, call.arguments[0], source=call[SOURCE], platform=call[PLATFORM])
    wish = advice.Wish(
        file=call[FILE], context=call.arguments[1] if len(call.arguments) > 1 else "",
        arguments=call[BUILD_ARG], verify=call[VERIFY], json=bool(call[JSON]),
    )  # fmt: skip
    told = advice.told(context, subject, wish)
    if call[JSON] in ("", "-"):
        context.terminal.write(told.text)
    else:
        _put(context, call[JSON], [told.text.rstrip("\n").encode()])
    if told.failure is not None:
        raise told.failure
    return BROKEN if told.differs else 0


def _is_silent(call: Call) -> bool:
    """Whether nothing but verdicts is to be printed beside the files that are written."""
    return call[FORM] == "text" and bool(call[JSON] or call[HTML])


def _report(call: Call, found: Document, outcomes: tuple[rules.Outcome, ...], before: Document | None) -> str:
    form = call[FORM]
    if form == "markdown":
        return report_forms.markdown(found, outcomes, before)
    if form == "junit":
        return report_forms.junit(found, outcomes)
    if form == "sarif":
        return report_forms.sarif(found, outcomes)
    if _is_silent(call):
        return gates.lines(outcomes)
    report = report_text.report_text(found, score=call[SCORE], whole=call[NO_TRUNC])
    return report + (f"\n{gates.lines(outcomes)}" if outcomes else "")


def _dive_rules(context: Context, call: Call) -> rules.DiveRules | None:
    if not (call[CI] or call.given(CI_CONFIG)):
        return None
    return gates.read_rules(call[CI_CONFIG], must_exist=call.given(CI_CONFIG)) or rules.DiveRules()


def _budgets(call: Call) -> rules.Budgets:
    def size(option: Option[str]) -> int | None:
        return rules.parse_size(call[option]) if call[option] else None

    paths = []
    for text in call[MAX_PATH]:
        path, sign, limit = text.rpartition("=")
        if not sign or not path:
            raise Invalid(f"--max-path-size {text}: expected PATH=SIZE")
        paths.append((path, rules.parse_size(limit)))
    return rules.Budgets(
        size=size(MAX_SIZE), layer=size(MAX_LAYER), waste=size(MAX_WASTE),
        efficiency=gates.ratio(call[MIN_EFFICIENCY]) if call[MIN_EFFICIENCY] else None, paths=tuple(paths),
    )  # fmt: skip


def _put(context: Context, target: str, pieces: Sequence[bytes | memoryview]) -> None:
    if target == "-":
        for piece in pieces:
            context.terminal.write_bytes(piece)
        context.terminal.line()
        return
    files.put_file(target, b"".join((*pieces, b"\n")))


COMMAND = Command(
    usage="[OPTIONS] IMAGE [CONTEXT]",
    arguments=between(1, 2),
    options=(
        ADVISE,
        ALLOW,
        BUILD_ARG,
        CI,
        CI_CONFIG,
        COMPARE,
        FILE,
        HTML,
        JSON,
        MAX_LAYER,
        MAX_PATH,
        MAX_SIZE,
        MAX_WASTE,
        MIN_EFFICIENCY,
        NO_TRUNC,
        NO_TUI,
        FORM,
        PLATFORM,
        SCORE,
        SOURCE,
        VERIFY,
    ),
    run=run,
    complete="image",
    failure=FAILED,
)
