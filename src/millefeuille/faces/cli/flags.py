"""A command line read as Go's pflag reads it.

Flags and arguments may be mixed; `--name=value`, `--name value`, `-n value`, `-nvalue`, `-n=value`,
bundles `-abc`, switches with `=false`, and `--`, after which everything is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.annotations import Any
from millefeuille.errors import Invalid
from millefeuille.faces.cli.options import Option, boolean
from millefeuille.oci.gotext import quoted

HELP = boolean("help", "Print usage", short="h", hidden=True)


class BadFlag(Invalid):
    """A flag that the command does not have, or whose value is not of its type."""


class Flags:
    """The flags of one command, and what a command line says about them."""

    def __init__(self, options: Sequence[Option[Any]], *, interspersed: bool = True) -> None:
        self.given: dict[Option[Any], object] = {}
        self.deprecated_help = False
        self._interspersed = interspersed
        self._long = {option.name: option for option in (*options, HELP)}
        self._short = {option.short: option for option in (HELP, *options) if option.short}

    def parse(self, words: Sequence[str]) -> tuple[str, ...]:
        """Read `words`; the arguments among them. Raises BadFlag with pflag's sentence."""
        arguments: list[str] = []
        rest = list(words)
        while rest:
            word = rest.pop(0)
            if word == "--":
                return (*arguments, *rest)
            if word.startswith("--"):
                self._read_long(word, rest)
            elif len(word) > 1 and word[0] == "-":
                self._read_short(word[1:], rest)
            elif self._interspersed:
                arguments.append(word)
            else:
                return (word, *rest)
        return tuple(arguments)

    def takes_next(self, word: str) -> bool:
        """Whether the flag `word` has its value in the word after it; so has a flag unknown here."""
        if "=" in word:
            return False
        option = self._long.get(word[2:]) if word.startswith("--") else self._short.get(word[1:2])
        if word.startswith("--"):
            return option is None or not option.switch
        return len(word) == 2 and (option is None or not option.switch)

    def _read_long(self, word: str, rest: list[str]) -> None:
        if word[2] in "-=":
            raise BadFlag(f"bad flag syntax: {word}")
        name, sign, value = word[2:].partition("=")
        option = self._long.get(name)
        if option is None:
            raise BadFlag(f"unknown flag: --{name}")
        if not sign:
            if option.switch:
                value = "true"
            elif rest:
                value = rest.pop(0)
            else:
                raise BadFlag(f"flag needs an argument: {word}")
        self._set(option, value)

    def _read_short(self, letters: str, rest: list[str]) -> None:
        while letters:
            option = self._short.get(letters[0])
            if option is None:
                # Go looks at one byte, so a letter beyond ASCII shows as its first byte.
                byte = chr(letters[0].encode(errors="surrogateescape")[0])
                raise BadFlag(f"unknown shorthand flag: '{byte}' in -{letters}")
            self.deprecated_help |= option is HELP
            letters = self._set_short(option, letters, rest)

    def _set_short(self, option: Option[Any], letters: str, rest: list[str]) -> str:
        """Set the flag that `letters` begin with; the letters still to be read."""
        if len(letters) > 2 and letters[1] == "=":
            self._set(option, letters[2:])
        elif option.switch:
            self._set(option, "true")
            return letters[1:]
        elif len(letters) > 1:
            self._set(option, letters[1:])
        elif rest:
            self._set(option, rest.pop(0))
        else:
            raise BadFlag(f"flag needs an argument: '{letters[0]}' in -{letters}")
        return ""

    def _set(self, option: Option[Any], text: str) -> None:
        before = self.given.get(option, option.default)
        try:
            self.given[option] = option.read(text, before)
        except ValueError as error:
            shown = "--help" if option is HELP else option.shown
            raise BadFlag(f"invalid argument {quoted(text)} for {quoted(shown)} flag: {error}") from None
