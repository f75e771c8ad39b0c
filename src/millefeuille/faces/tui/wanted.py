"""What of a tree somebody wants to see, as it is typed into the filter line.

    lib.*\\.so          a regular expression, looked for anywhere in the path, as Dive does
    text:a+b           the characters as they are
    size>1MB size<1GB  files of that size
    change:added,type  files with one of these changes

Words are separated by spaces, and all have to hold. What is no regular expression is taken as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from millefeuille.analysis.rules import BadRule, parse_size
from millefeuille.analysis.tree import ADDED, METADATA, MODIFIED, REMOVED, TYPE, UNCHANGED, Node
from millefeuille.errors import Invalid

_CHANGES = frozenset({ADDED, MODIFIED, METADATA, TYPE, REMOVED, UNCHANGED})
Test = Callable[[Node], bool]


class BadFilter(Invalid):
    """A word of the filter line says nothing."""


class Wanted:
    """What is wanted: every test holds, of what is no directory."""

    def __init__(self, text: str) -> None:
        """Read a filter line. Raises BadFilter."""
        self.text = text.strip()
        self._paths: list[re.Pattern[bytes]] = []
        self._tests: list[Test] = []
        for word in self.text.split():
            self._read(word)

    def path_fits(self, path: bytes) -> bool:
        """Whether a path could be wanted."""
        return all(pattern.search(b"/" + path) for pattern in self._paths)

    def fits(self, node: Node) -> bool:
        """Whether this file is wanted."""
        return self.path_fits(node.path) and all(test(node) for test in self._tests)

    @property
    def by_path(self) -> bool:
        """Whether directories are wanted too, since only names matter."""
        return not self._tests

    def _read(self, word: str) -> None:
        if word.startswith(("size>", "size<")):
            self._tests.append(_by_size(word))
        elif word.startswith("change:"):
            self._tests.append(_by_change(word[7:]))
        elif word.startswith("text:"):
            self._paths.append(re.compile(re.escape(word[5:].encode("utf-8", "surrogateescape"))))
        else:
            raw = word.encode("utf-8", "surrogateescape")
            try:
                self._paths.append(re.compile(raw))
            except re.error:
                self._paths.append(re.compile(re.escape(raw)))


def _by_size(word: str) -> Test:
    try:
        limit = parse_size(word[5:])
    except BadRule as error:
        raise BadFilter(f"{word}: expected a size, as 20MB") from error
    if word[4] == ">":
        return lambda node: node.size > limit
    return lambda node: node.size < limit


def _by_change(text: str) -> Test:
    changes = frozenset(text.split(","))
    if not changes <= _CHANGES:
        raise BadFilter(f"change:{text}: the changes are {', '.join(sorted(_CHANGES))}")
    return lambda node: node.change in changes
