"""`mille image load`."""

from __future__ import annotations

import os

from millefeuille.engine.metadata import prepare
from millefeuille.engine.store import open_store
from millefeuille.faces.cli import exits, progress
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.inputs import open_input
from millefeuille.faces.cli.options import boolean, string
from millefeuille.oci.platform import Platform
from millefeuille.transfer.archive.load import Loaded, load

INPUT = string("input", "Read from tar archive file, instead of STDIN", short="i", complete="file")
PLATFORM = string(
    "platform",
    'Load only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
)
QUIET = boolean("quiet", "Suppress the load output", short="q")


def run(context: Context, call: Call) -> int:
    """Take in the images of an archive, from a file or from standard input."""
    with exits.refusing():  # Docker says without a prefix what it meets in an archive
        platform = Platform.parse(call[PLATFORM]) if call[PLATFORM] else None
        if not call[INPUT] and context.terminal.input_interactive:
            raise Refusal("requested load from stdin, but stdin is empty")
        descriptor = open_input(context.terminal, call[INPUT] or "-")
        lines: list[str] = []
        try:
            with progress.shown(context.terminal, "load", quiet=call[QUIET]) as reporter:
                store = open_store(context.settings)
                made = prepare(context.settings)
                for loaded in load(store, descriptor, reporter, platform=platform, prepare=made):
                    lines += _said(loaded)
        finally:
            os.close(descriptor)
            for line in lines:  # also of the images before one that fails
                context.terminal.line(line)
    if not lines:
        context.terminal.line()
    return 0


def _said(loaded: Loaded) -> list[str]:
    if not loaded.names:
        return [f"Loaded image ID: {loaded.image}"]
    lines = []
    for name in loaded.names:
        if name in loaded.renamed:
            lines.append(
                f"The image {name} already exists, renaming the old one with ID "
                f"{loaded.renamed[name]} to empty string"
            )
        lines.append(f"Loaded image: {name}")
    return lines


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        INPUT,
        PLATFORM,
        QUIET,
    ),
    run=run,
)
