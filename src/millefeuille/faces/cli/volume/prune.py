"""`mille volume prune`."""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.docker.units import human_size
from millefeuille.docker.volumeselection import prunable
from millefeuille.engine.volumes import reached, users_at_removal
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.image.prune import pruning_filters
from millefeuille.faces.cli.options import boolean, filters

ALL = boolean("all", "Remove all unused volumes, not just anonymous ones", short="a")
FILTER = filters("filter", 'Provide filter values (e.g. "label=<label>")')
FORCE = boolean("force", "Do not prompt for confirmation", short="f")


_QUESTION: Final = (
    "WARNING! This will remove {} local volumes not used by at least one container.\n"
    "Are you sure you want to continue?"
)


def run(context: Context, call: Call) -> int:
    """Remove the volumes that no container has, after asking."""
    if call[ALL] and any(name == "all" for name, _ in call[FILTER]):
        raise Refusal("conflicting options: cannot specify both --all and --filter all=1")
    accepts, filtered = prunable(pruning_filters(context.settings, call[FILTER]))
    question = _QUESTION.format("all" if call[ALL] else "anonymous")
    if not call[FORCE] and not context.terminal.confirm(question):
        return 0
    held = reached(context.settings)
    removed, freed = held.prune(users_at_removal(context.settings), accepts, named=call[ALL] or filtered)
    if removed:
        context.terminal.write("".join(f"{line}\n" for line in ("Deleted Volumes:", *removed, "")))
    context.terminal.line(f"Total reclaimed space: {human_size(freed)}")
    return 0


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        ALL,
        FILTER,
        FORCE,
    ),
    run=run,
)
