"""Dropping: a RUN without some of its commands, which fails where it failed, and goes on where it went on.

What is dropped did what it was to. Behind `;` the next command is run whatever became of the one before, the
last one alone says how it ended, and in a list of `&&` a shell minds its option -e in the last part only
(POSIX, `set`). Where another command would come to be the last one, `true` is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from millefeuille.analysis.advice.joining import sets_errexit
from millefeuille.analysis.advice.shell import commands, lists
from millefeuille.annotations import Final

_DONE: Final = "true"


def without(text: str, dropped: Collection[str], instead: str = "") -> str:
    """The text without these of its commands, `instead` where the first was; "" when none is left."""
    rows, left = lists(text) or ((text,),), instead
    kept: list[Sequence[str]] = []
    for place, row in enumerate(rows):
        is_last = place == len(rows) - 1
        found: list[str] = []
        for one in row:
            if one not in dropped:
                found.append(one)
            elif left:
                found.append(_in_row(left, alone=not found) if one == row[-1] and not is_last else left)
                left = ""
        # What stood in front of others must not end the RUN.
        if found and row[-1] in dropped and found[-1] in row and not is_last:
            found.append(_DONE)
        kept += [found] if found else []
    if all(one == _DONE for row in kept for one in row):
        return ""
    if not _is_end(text, rows[-1], kept[-1], dropped, instead):
        kept.append([_DONE])
    return _text(kept)


def fails_with(text: str, count: int, *, errexit: bool = False) -> bool:
    """Whether a RUN fails as soon as one of its first commands does, so many. `errexit` for a shell that ends
    with the first one that fails.
    """
    rows, at = lists(text) or (), 0
    for row in rows[:-1]:
        # In front of `;` a shell with -e minds what stands alone.
        if at < count and not (len(row) == 1 and (errexit or sets_errexit(text))):
            return False
        at += len(row)
    return True


def _in_row(instead: str, *, alone: bool) -> str:
    """Commands such that a shell with -e minds each of them in front of `;`."""
    row = commands(instead) or (instead,)
    if len(row) == 1:
        return instead
    return "; ".join(row) if alone else f"({instead})"


def _is_end(
    text: str, row: Sequence[str], last: Sequence[str], dropped: Collection[str], instead: str
) -> bool:
    """Whether the RUN ends as what is `last` now does; `row` was."""
    if any(one not in dropped for one in row) or last in ([_DONE], [instead]) or last[-1].endswith("&"):
        return True
    return sets_errexit(text) and len(last) == 1 and not last[0].startswith("!")


def _text(rows: Sequence[Sequence[str]]) -> str:
    text = ""
    for row in rows:
        between = "" if not text else " " if text.endswith("&") else "; "
        text += between + " && ".join(row)
    return text
