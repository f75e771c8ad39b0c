"""A logical line taken apart: the command word, its flags, and the arguments as they were written."""

from __future__ import annotations

from millefeuille.annotations import NamedTuple
from millefeuille.build.dockerfile.words import SPACES, first_unspaced, flag_word, split_once


class Command(NamedTuple):
    """`flags` are without quotes, each begins with two dashes; `rest` has no white space around it."""

    keyword: str
    flags: tuple[str, ...]
    rest: str

    @property
    def name(self) -> str:
        """The keyword in capitals: only letters of ASCII have some here, so that no other spelling is one."""
        return self.keyword.upper() if self.keyword.isascii() else self.keyword


def split_command(line: str, escape: str) -> Command:
    """Takes `line` apart.

    The flags end at the first word without two dashes, or at `--`, which is dropped.
    """
    keyword, rest = split_once(line.strip(SPACES))
    if rest is None:
        return Command(keyword, (), "")
    flags = []
    position = first_unspaced(rest, 0)
    while rest.startswith("--", position):
        word, position = flag_word(rest, position, escape)
        if word == "--":
            break
        flags.append(word)
        position = first_unspaced(rest, position)
    return Command(keyword, tuple(flags), rest[position:].strip(SPACES))
