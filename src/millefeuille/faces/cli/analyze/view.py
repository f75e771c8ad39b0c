"""The view on the whole terminal, where there is one."""

from __future__ import annotations

import importlib
import os

from millefeuille.faces.cli.analyze.subject import Subject
from millefeuille.faces.cli.command import Context


def has_terminal(context: Context) -> bool:
    """Whether somebody sits at a terminal that can show more than lines."""
    terminal = context.terminal
    dumb = context.settings.environment.get("TERM", "dumb") == "dumb"
    return terminal.interactive and terminal.input_interactive and not dumb


def view(context: Context, subject: Subject, before: Subject | None = None, *, config: str = "") -> None:
    """Show an image until somebody leaves; `config` is the one file to read preferences from, "" for Dive's.

    Raises what its analysis and its preferences raise.
    """
    size = os.get_terminal_size(context.terminal.stdout.fileno())
    # By name: the other commands do not load it.
    program = importlib.import_module("millefeuille.faces.tui.run")
    existing = importlib.import_module("millefeuille.engine.store").existing
    terminal = context.terminal.stdout
    state = program.begin(
        subject.analysis, terminal, (size.columns, size.lines),
        environment=context.settings.environment, home=context.settings.home, known=lambda: subject.known,
        store=existing(context.settings) if subject.is_stored else None,
        before=before.analysis if before is not None else None, config=config,
    )  # fmt: skip
    program.run(state, terminal)
