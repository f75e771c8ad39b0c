"""Environment variables as `--env` and `--env-file` give them."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.docker.creation import pairs
from millefeuille.docker.creation.error import InvalidOption
from millefeuille.faces.cli.command import Context


def variables(context: Context, given: Sequence[str], paths: Sequence[str]) -> tuple[str, ...]:
    """NAME=VALUE of files first, then of flags; a name alone takes its value from our environment, where it
    has one. Raises InvalidOption.
    """
    look = context.settings.environment.get
    found: list[str] = []
    for path in paths:
        try:
            with open(path, "rb") as file:
                found += pairs.parse_file(file.read(), look)
        except OSError as error:
            raise InvalidOption(f"open {path}: {(error.strerror or '').lower()}") from error
    return (*found, *pairs.resolved(tuple(given), look))
