"""Which Dockerfile a build is of: one on standard input, or a file."""

from __future__ import annotations

from millefeuille.engine import contextfiles
from millefeuille.engine.contextfiles import MAXIMUM, Written
from millefeuille.faces.cli import exits
from millefeuille.faces.cli.command import Context


def read(context: Context, directory: str, wanted: str) -> Written:
    """The Dockerfile `wanted` ("-" is standard input, "" the context's own) for a context `directory`, "" for
    none. Raises Refusal.
    """
    if wanted == "-" or not (directory or wanted):
        return Written("Dockerfile", context.terminal.binary_input.read(MAXIMUM))
    with exits.refusing():
        return contextfiles.read(directory, wanted)
