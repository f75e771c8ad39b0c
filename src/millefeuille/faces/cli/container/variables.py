"""Environment variables as `--env` and `--env-file` give them, and the files of these and of labels."""

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
    return (*lines(tuple(paths), look), *pairs.resolved(tuple(given), look))


def lines(paths: tuple[str, ...], look: pairs.Look | None = None) -> list[str]:
    """The lines of env or label files, as `pairs.parse_file` reads them. Raises InvalidOption, which calls
    each of them an env file, as Docker does.
    """
    found: list[str] = []
    for path in paths:
        try:
            with open(path, "rb") as file:
                content = file.read()
        except IsADirectoryError:
            raise InvalidOption(f"invalid env file ({path}): read {path}: is a directory") from None
        except OSError as error:
            raise InvalidOption(f"open {path}: {(error.strerror or '').lower()}") from error
        try:
            found += pairs.parse_file(content, look)
        except InvalidOption as error:
            raise InvalidOption(f"invalid env file ({path}): {error}") from error
    return found
