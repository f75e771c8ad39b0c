"""The table of commands: plain data, so that start-up, help and completion load no command.

How a command is written. Its module lies under `faces/cli/<group>/` (`top/` for those without a group),
is loaded only when called, and ends in a value named COMMAND:

    QUIET = boolean("quiet", "Only show image IDs", short="q")

    def run(context: Context, call: Call) -> int:
        for image in ...:                                # call.arguments, call[QUIET], call.given(QUIET)
            context.terminal.line(image.id)              # stdout; complain() is stderr
        return 0                                         # the exit code

    COMMAND = Command(usage="[OPTIONS] [REPOSITORY[:TAG]]", arguments=at_most(1), options=(QUIET,), run=run)

Then one Row here. The first name is the canonical one; within a group the first name is listed and
further ones are silent aliases; names of other groups are twins. All of them run the same module.

Errors are raised, not printed: an engine error shows as `Error: text`, a `Refusal` (exits.py) as `text`.
A command that goes on after a failing argument calls `exits.report(context.terminal, error)`, which
prints and gives the exit code. `context.terminal.confirm(message)` asks y/N. Progress is
`with progress.shown(context.terminal, "pull", quiet=...) as reporter:`.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Row(NamedTuple):
    """A command: its module below `faces/cli`, its one-line summary, its names as typed after `mille`."""

    module: str
    summary: str
    names: tuple[str, ...]


class Group(NamedTuple):
    """A command that only holds others."""

    name: str
    summary: str


SUMMARY: Final = "A container image engine that needs no daemon"

COMMON: Final = (
    "run", "exec", "ps", "build", "pull", "push", "images", "login", "logout", "search", "version", "info",
)  # fmt: skip

GROUPS: Final[tuple[Group, ...]] = ()

COMMANDS: Final = (
    Row("top.completion", "Generate the autocompletion script for the specified shell", ("completion",)),
    Row("top.version", "Show the version information", ("version",)),
)
