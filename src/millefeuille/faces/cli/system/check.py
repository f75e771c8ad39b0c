"""`mille system check`."""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.engine.damage import damaged, set_aside
from millefeuille.engine.extracted import extractions
from millefeuille.engine.leftovers import clear, unowned
from millefeuille.engine.metadata import prepare
from millefeuille.engine.store import open_store, removing
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import boolean
from millefeuille.store.check import Report, check
from millefeuille.store.repair import repair
from millefeuille.store.store import Store
from millefeuille.store.sweep import size
from millefeuille.values import replace

DATA = boolean("data", "Read every byte again and compare it with its digest")
REPAIR = boolean("repair", "Rebuild what can be made again, and set aside what is damaged")

PROBLEMS: Final = 3  # exit code: something is wrong, still
REPAIRED: Final = 4  # exit code: something was wrong


def run(context: Context, call: Call) -> int:
    """Compare the store with what its database says; one line for each problem."""
    store = removing(context.settings) or open_store(context.settings)
    report = _report(context, store, call)
    _print(context, report)
    if not call[REPAIR]:
        return PROBLEMS if report.problems else 0
    if store.exists():
        clear(context.settings, store)
    for sentence in repair(
        store, report, data=call[DATA], prepare=prepare(context.settings),
        container=set_aside(context.settings, store),
    ):  # fmt: skip
        context.terminal.line(sentence)
    if not report.problems:
        return 0
    report = _report(context, store, call)
    _print(context, report)
    return PROBLEMS if report.problems else REPAIRED


def _report(context: Context, store: Store, call: Call) -> Report:
    """What `check` finds, and what lies about beside the database."""
    containers = damaged(context.settings, store)
    report = check(store, data=call[DATA], extractions=extractions(store), containers=containers)
    if any(problem.kind == "database" for problem in report.problems):
        return report  # then nobody knows whose anything is
    left = sum(size(path) for path in unowned(context.settings, store))
    return replace(report, orphans=report.orphans + left)


def _print(context: Context, report: Report) -> None:
    for problem in report.problems:
        context.terminal.line(f"{problem.kind} {problem.subject}: {problem.message}")
    count = len(report.problems)
    problems = f"{count or 'no'} problem{'s' * (count != 1)}"
    context.terminal.line(
        f"{report.images} images, {report.layers} layers, {report.blobs} blobs, "
        f"{report.orphans} bytes of nobody's: {problems}"
    )


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        DATA,
        REPAIR,
    ),
    run=run,
)
