"""What of a tree somebody wants to see, as it is typed into the filter line.

    lib.*\\.so          a regular expression, looked for anywhere in the path, as Dive does
    text:a+b           the characters as they are
    size>1MB size<1GB  files of that size
    change:added,type  files with one of these changes

Words are separated by spaces, and all have to hold. What is no regular expression is taken as it is, and one
that takes too long is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from millefeuille.analysis.rules import BadRule, parse_size
from millefeuille.analysis.tree import ADDED, METADATA, MODIFIED, REMOVED, TYPE, UNCHANGED, Node
from millefeuille.annotations import Final
from millefeuille.errors import Invalid
from millefeuille.faces.tui.deadline import Expired, within

_CHANGES = frozenset({ADDED, MODIFIED, METADATA, TYPE, REMOVED, UNCHANGED})
# Not all that `re` refuses is an error of its own: `(?u)`, `a{99999999999}`, and groups in too many others.
_NO_EXPRESSION = (re.error, ValueError, OverflowError, RecursionError)


# What looking through the paths may take, in seconds: at all, and for each path several times what it needs.
_AT_ALL: Final = 0.5
_EACH: Final = 3e-6
# What Go, and so Dive, repeats at most; `re` would keep a record of each of a thousand million.
_REPEATS: Final = 1000
_REPEATED = re.compile(r"\{(\d*),?(\d*)\}")


class BadFilter(Invalid):
    """A word of the filter line says nothing, or takes too long."""


class Wanted:
    """What is wanted: every test holds, of what is no directory."""

    def __init__(self, text: str, paths: Callable[[], Collection[bytes]]) -> None:
        """Read a filter line, to be asked about these paths only. Raises BadFilter."""
        self.text = text.strip()
        self._expressions: list[re.Pattern[str]] = []
        self._sizes: list[Callable[[int], bool]] = []
        self._changes = _CHANGES
        for word in self.text.split():
            self._read(word)
        # Those that could be wanted, None for all. They are looked for here, where it can be ended, and not
        # while rows are drawn.
        self.fitting = _found(self._expressions, paths()) if self._expressions else None

    def path_fits(self, path: bytes) -> bool:
        """Whether a path could be wanted."""
        return self.fitting is None or path in self.fitting

    def could_be(self, path: bytes, size: int) -> bool:
        """Whether a file is wanted if its change is."""
        return self.path_fits(path) and all(test(size) for test in self._sizes)

    def change_fits(self, change: str) -> bool:
        """Whether this change is wanted."""
        return change in self._changes

    def fits(self, node: Node) -> bool:
        """Whether this file is wanted."""
        return self.change_fits(node.change) and self.could_be(node.path, node.size)

    @property
    def by_path(self) -> bool:
        """Whether directories are wanted too, since only names matter."""
        return not self._sizes and self._changes == _CHANGES

    def _read(self, word: str) -> None:
        if word.startswith(("size>", "size<")):
            self._sizes.append(_by_size(word))
        elif word.startswith("change:"):
            self._changes &= _by_change(word[7:])
        elif word.startswith("text:"):
            self._expressions.append(re.compile(re.escape(word[5:])))
        else:
            self._expressions.append(_by_expression(word))


def _by_expression(word: str) -> re.Pattern[str]:
    try:
        if any(int(count) > _REPEATS for counts in _REPEATED.findall(word) for count in counts if count):
            raise ValueError
        return re.compile(word, re.ASCII)  # classes have the characters that they have in Go, and for Dive
    except _NO_EXPRESSION:
        return re.compile(re.escape(word))


def _found(expressions: list[re.Pattern[str]], paths: Collection[bytes]) -> Collection[bytes]:
    """The paths in which each expression is found."""
    try:
        with within(_AT_ALL + len(paths) * _EACH):
            for expression in expressions:
                search = expression.search
                paths = {path for path in paths if search("/" + path.decode("utf-8", "surrogateescape"))}
    except Expired as error:
        raise BadFilter(f"{expression.pattern}: takes too long") from error
    return paths


def _by_size(word: str) -> Callable[[int], bool]:
    try:
        limit = parse_size(word[5:])
    except BadRule as error:
        raise BadFilter(f"{word}: expected a size, as 20MB") from error
    if word[4] == ">":
        return lambda size: size > limit
    return lambda size: size < limit


def _by_change(text: str) -> frozenset[str]:
    changes = frozenset(text.split(","))
    if not changes <= _CHANGES:
        raise BadFilter(f"change:{text}: the changes are {', '.join(sorted(_CHANGES))}")
    return changes
