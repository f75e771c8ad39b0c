"""Chmod: what `--chmod` makes of a mode, in octal or in the symbols of chmod(1); no umask counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from millefeuille.annotations import Final
from millefeuille.errors import Invalid
from millefeuille.values import dataclass

_OCTAL: Final = re.compile(r"0*[0-7]{1,4}", re.ASCII)
_CLAUSE: Final = re.compile(r"([ugoa]*)((?:[-+=](?:[ugo]|[rwxXst]*))+)", re.ASCII)
_ACTION: Final = re.compile(r"([-+=])([^-+=]*)")
_SUID, _SGID, _STICKY = 0o4000, 0o2000, 0o1000
_WHO: Final = {"u": 0o4700, "g": 0o2070, "o": 0o1007, "a": 0o7777}
_BITS: Final = {"r": 0o444, "w": 0o222, "x": 0o111}
_SHIFT: Final = {"u": 6, "g": 3, "o": 0}

_Change = Callable[[int, bool], int]


class InvalidMode(Invalid):
    """`--chmod` has a value that is no mode. Words of BuildKit."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"invalid chmod parameter: '{text}'. it should be octal string and between 0 and 07777"
        )


@dataclass(frozen=True, slots=True)
class Chmod:
    """A mode to be set. `octal` is the whole of it when it was given as a number."""

    octal: int | None
    changes: tuple[_Change, ...] = ()

    def applied(self, mode: int, *, is_directory: bool) -> int:
        """The permissions of a file that had `mode`."""
        if self.octal is not None:
            return self.octal
        for change in self.changes:
            mode = change(mode, is_directory)
        return mode


def parse(text: str) -> Chmod:
    """What `--chmod=text` asks for. Raises InvalidMode."""
    if _OCTAL.fullmatch(text):
        return Chmod(int(text, 8))
    clauses = [_CLAUSE.fullmatch(clause) for clause in text.split(",")]
    found = tuple(
        change for clause in clauses if clause is not None for change in _changes(clause[1], clause[2])
    )
    if None in clauses:
        raise InvalidMode(text)
    return Chmod(None, found)


def _changes(who: str, actions: str) -> Iterator[_Change]:
    for operator, what in _ACTION.findall(actions):
        yield _change(who, operator, what)


def _change(who: str, operator: str, what: str) -> _Change:
    mask = 0
    for letter in who or "a":
        mask |= _WHO[letter]

    def change(mode: int, is_directory: bool) -> int:
        bits = _wanted(what, mode, is_directory) & mask
        if operator == "+":
            return mode | bits
        if operator == "-":
            return mode & ~bits
        # A directory's keep what is not named.
        cleared = mask & ~(_SUID | _SGID) if is_directory and "s" not in what else mask
        return mode & ~cleared | bits

    return change


def _wanted(what: str, mode: int, is_directory: bool) -> int:
    """The bits that the letters behind an operator stand for, for everybody."""
    if what in _SHIFT and what:
        return (mode >> _SHIFT[what] & 0o7) * 0o111
    bits = 0
    for letter in what:
        if letter == "X":
            bits |= 0o111 if is_directory or mode & 0o111 else 0
        elif letter == "s":
            bits |= _SUID | _SGID
        elif letter == "t":
            bits |= _STICKY
        else:
            bits |= _BITS[letter]
    return bits
