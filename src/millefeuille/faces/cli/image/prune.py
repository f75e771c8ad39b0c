"""`mille image prune`."""

from __future__ import annotations

import time

from millefeuille.annotations import Final
from millefeuille.docker.filters import Filters
from millefeuille.docker.selection import prunable
from millefeuille.docker.table import table
from millefeuille.docker.units import human_size
from millefeuille.engine.leftovers import clear, let_go
from millefeuille.engine.store import removing
from millefeuille.engine.users import users
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.options import boolean, filters
from millefeuille.faces.cli.preferences import preference
from millefeuille.faces.cli.values import Pairs
from millefeuille.images.prune import Pruned, prune
from millefeuille.oci.reference import Reference
from millefeuille.settings import Settings
from millefeuille.store.images import ImageRecord

ALL = boolean("all", "Remove all unused images, not just dangling ones", short="a")
DRY_RUN = boolean("dry-run", "Show what would be removed and why, and remove nothing")
FILTER = filters("filter", 'Provide filter values (e.g. "until=<timestamp>")')
FORCE = boolean("force", "Do not prompt for confirmation", short="f")


_QUESTION: Final = "WARNING! This will remove {}.\nAre you sure you want to continue?"


def run(context: Context, call: Call) -> int:
    """Remove the images that nothing uses, after asking."""
    filters = pruning_filters(context.settings, call[FILTER])
    if not call[DRY_RUN] and not call[FORCE] and not context.terminal.confirm(_QUESTION.format(_what(call))):
        return 0
    store = removing(context.settings)
    accepts = prunable(filters, time.time_ns())
    if store is None:
        context.terminal.line("Total reclaimed space: 0B")
        return 0
    if not call[DRY_RUN]:
        clear(context.settings, store)
    unused = call[ALL] or not filters.boolean("dangling", True)
    pruned = prune(store, users(context.settings), accepts, unused=unused, dry_run=call[DRY_RUN])
    let_go(context.settings)
    context.terminal.write(rehearsed(pruned) if call[DRY_RUN] else described(pruned))
    return 0


def pruning_filters(settings: Settings, given: Pairs) -> Filters:
    """The filters of the command line and those that config.json adds. Raises InvalidFilter."""
    settled = preference(settings, "pruneFilters") or ()
    texts = [f"{name}={value}" for name, value in given]
    return Filters.parse([*texts, *(text for text in settled if isinstance(text, str))])


def described(pruned: Pruned) -> str:
    """What went, as Docker says it; files without an owner count, for a command that was killed left them."""
    lines = [
        f"untagged: {act.untagged}" if act.untagged else f"deleted: {act.deleted}" for act in pruned.acts
    ]
    listed = "\n".join(["Deleted Images:", *lines, "", ""]) if lines else ""
    return f"{listed}Total reclaimed space: {human_size(pruned.reclaimed + pruned.orphans)}\n"


def rehearsed(pruned: Pruned) -> str:
    """What would go, why, and the bytes that only it holds."""
    rows = [
        (
            candidate.image.id.short, _names(candidate.image), candidate.reason,
            human_size(candidate.image.size, 3),
        )
        for candidate in pruned.candidates
    ]  # fmt: skip
    listed = table(("IMAGE ID", "NAMES", "REASON", "SIZE"), rows) if rows else ""
    orphans = f"Unowned files: {human_size(pruned.orphans)}\n" if pruned.orphans else ""
    return f"{listed}{orphans}Total space to be reclaimed: {human_size(pruned.reclaimed + pruned.orphans)}\n"


def _names(image: ImageRecord) -> str:
    return ", ".join(Reference.parse(tag).familiar for tag in image.tags) or "<none>"


def _what(call: Call) -> str:
    unused = call[ALL] or any(pair in (("dangling", "false"), ("dangling", "0")) for pair in call[FILTER])
    return "all images without at least one container associated to them" if unused else "all dangling images"


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        ALL,
        DRY_RUN,
        FILTER,
        FORCE,
    ),
    run=run,
)
