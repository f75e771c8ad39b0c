"""What a command states about itself, and what it is handed when it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from millefeuille.annotations import Any, Literal, NamedTuple, TypeVar
from millefeuille.faces.cli.options import Option
from millefeuille.faces.cli.terminal import Terminal
from millefeuille.settings import Settings

T = TypeVar("T")


# How many arguments a command takes: at least the first number, at most the second (None: any number).
Arity = tuple[int, int | None]


def exactly(number: int) -> Arity:
    """That many arguments."""
    return (number, number)


def at_least(number: int) -> Arity:
    """That many arguments or more."""
    return (number, None)


def at_most(number: int) -> Arity:
    """That many arguments or fewer."""
    return (0, number)


def between(least: int, most: int) -> Arity:
    """From `least` to `most` arguments."""
    return (least, most)


class Context(NamedTuple):
    """The world a command runs in; `path` is the command as it was called, `mille image ls`."""

    settings: Settings
    terminal: Terminal
    path: str
    debug: bool = False


class Call:
    """The options and arguments of one call."""

    def __init__(self, given: Mapping[Option[Any], object], arguments: tuple[str, ...]) -> None:
        self._given = given
        self.arguments = arguments

    def __getitem__(self, option: Option[T]) -> T:
        """The value given for `option`, else its default."""
        return self._given.get(option, option.default)  # type: ignore[return-value]  # stored under its own option

    def given(self, option: Option[Any]) -> bool:
        """Whether `option` was on the command line."""
        return option in self._given


Run = Callable[[Context, Call], int]
Named = Literal["", "image", "container", "file", "directory"]


class Command(NamedTuple):
    """One command. Its names and its one-line summary stand in the table of `commands.py`.

    `usage` is what follows the name; `details` replaces the summary at the top of the help where one
    line does not say enough; `complete` says what the arguments name, or has the words to choose
    from; `interspersed` False ends the flags at the first argument, as `run` does; `failure` is the exit code
    of a command that could not run, or be read, where 1 is an answer of its own.
    """

    usage: str
    arguments: Arity
    run: Run
    options: tuple[Option[Any], ...] = ()
    details: str = ""
    complete: Named | tuple[str, ...] = ""
    interspersed: bool = True
    failure: int = 1
