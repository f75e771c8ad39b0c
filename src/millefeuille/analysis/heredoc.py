"""Here-documents in a command of a history: what a builder takes for one, and whether all of it is there."""

from __future__ import annotations

import re

from millefeuille.annotations import Final

# A word that begins with digits and two signs opens one for a builder, `$((1<<3))` and `<<<` do not.
_OPENING: Final = re.compile(r"(?:^|(?<=\s))\d*<<-?[^<\s]")
_MARK: Final = re.compile(r"(?:^|(?<=[ \t]))\d*<<(-?)([\"']?)([A-Za-z_][\w.-]*)\2(?=[ \t]|$)")
_UNSURE: Final = re.compile(r"<<|[\"'\\]")  # beside its marks, such a line is read by more than these rules


def opens(command: str) -> bool:
    """Whether a builder may see a here-document begin in a command."""
    return _OPENING.search(command) is not None


def is_whole(command: str) -> bool:
    """Whether a command is one line and the here-documents that it opens, so that it can stand as it is.

    False where that is not sure.
    """
    first, *lines = command.split("\n")
    marks = _MARK.findall(first)
    if _UNSURE.search(_MARK.sub("", first)):
        return False
    for tabs, _, name in marks:
        ends = [number for number, line in enumerate(lines) if (line.lstrip("\t") if tabs else line) == name]
        if not ends:
            return False
        del lines[: ends[0] + 1]
    return not lines
