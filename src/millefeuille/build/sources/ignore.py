"""Ignore: what .dockerignore, and --exclude, leave out of a tree.

The last pattern that matches a path, or a directory above it, decides; one that begins with `!` keeps.
Source: Docker, "Build context"; moby, patternmatcher and its ignorefile.
"""

from __future__ import annotations

import codecs
import posixpath
from collections.abc import Callable, Iterable
from itertools import groupby

from millefeuille.annotations import Final
from millefeuille.build.sources.glob import BadPattern
from millefeuille.build.sources.patterns import AnyOf, Pattern

# Which groups of patterns have matched a directory, or one above it.
Matched = tuple[bool, ...]


class BadIgnoreFile(BadPattern):
    """A line of an ignore file is malformed."""


class Ignore:
    """Patterns in their order. `exceptions` says whether some keep what others leave out."""

    __slots__ = ("_groups", "_latest_first", "exceptions", "nothing", "patterns", "top")

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        """Compile patterns; empty ones do not count. Raises BadPattern."""
        self.patterns = tuple(filter(None, map(cleaned, patterns)))
        compiled = [(text[0] == "!", Pattern(text.removeprefix("!"))) for text in self.patterns]
        # Neighbours that say the same are tested at once.
        self._groups = [
            (keep, AnyOf(pattern for _, pattern in group))
            for keep, group in groupby(compiled, key=lambda pair: pair[0])
        ]
        if self._groups and self._groups[0][0]:
            del self._groups[0]  # there is nothing yet that it could keep
        self._latest_first = [
            (number, not keep, group.matches) for number, (keep, group) in enumerate(self._groups)
        ][::-1]
        self.exceptions = any(keep for keep, _ in self._groups)
        self.nothing = not self._groups
        self.top: Matched = (False,) * len(self._groups)

    def judge(self, path: str, above: Matched) -> tuple[bool, Matched]:
        """Whether a path is left out, and what its directory passes on; `above` is what its own one has."""
        return self.verdict(path, above), self.passes_on(path, above)

    def verdict(self, path: str, above: Matched) -> bool:
        """Whether a path is left out, alone."""
        for number, out, matches in self._latest_first:
            if above[number] or matches(path):
                return out
        return False

    def passes_on(self, path: str, above: Matched) -> Matched:
        """What a directory passes on, alone."""
        pairs = zip(above, self._groups, strict=True)
        return tuple([known or bool(group.matches(path)) for known, (_, group) in pairs])

    @property
    def matches_itself(self) -> Callable[[str], object]:
        """What tells whether a path is left out that lies in no directory that is; without exceptions."""
        return self._groups[0][1].matches

    def leaves_out(self, path: str) -> bool:
        """Whether a path is left out, for itself or with a directory above it; "" never is."""
        above, found, last = path.rpartition("/")
        return bool(last) and self.verdict(path, self.above(above) if found else self.top)

    def above(self, directory: str) -> Matched:
        """What a directory passes on to what is in it."""
        matched, done = self.top, ""
        for part in filter(None, directory.split("/")):
            done = f"{done}/{part}" if done else part
            matched = self.passes_on(done, matched)
        return matched

    def may_keep_below(self, directory: str) -> bool:
        """Whether something in a directory that is left out may be kept; never wrong when it says no."""
        return any(keep and group.may_match_below(directory) for keep, group in self._groups)


def cleaned(pattern: str) -> str:
    """A pattern as it is compiled. Raises BadPattern for a lone `!`."""
    text = pattern.strip()
    if not text:
        return ""
    keep, text = ("!", text[1:].strip()) if text[0] == "!" else ("", text)
    if not text:
        raise BadPattern('illegal exclusion pattern: "!"')
    text = posixpath.normpath(text)
    return keep + (text.lstrip("/") or "/")


def parse(data: bytes, name: str) -> list[str]:
    """The patterns of an ignore file called `name`. Raises BadIgnoreFile, which names the line."""
    found: list[str] = []
    lines = data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape").split("\n")
    for number, line in enumerate(lines, 1):
        if line.startswith("#"):
            continue
        try:
            text = cleaned(line)
            if text:
                Pattern(text.removeprefix("!"))
                found.append(text)
        except BadPattern as error:
            raise BadIgnoreFile(f"failed parsing {name}: line {number}: {error}") from error
    return found


NOTHING: Final = Ignore()
