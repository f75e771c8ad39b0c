"""The word that somebody who mistyped one may have meant."""

from __future__ import annotations

from collections.abc import Iterable

_FARTHEST = 2
_LONGEST = 64


def nearest(word: str, options: Iterable[str], *, fold_case: bool = False) -> str:
    """The option at most two edits from `word`, and no more than half of its length; empty without one.

    Of several that are equally near, the first.
    """
    best, best_distance = "", min(_FARTHEST, len(word) // 2) + 1
    if len(word) > _LONGEST:
        return best
    wanted = word.lower() if fold_case else word
    for option in options:
        distance = _distance(wanted, option.lower() if fold_case else option)
        if distance < best_distance:
            best, best_distance = option, distance
    return best


def _distance(left: str, right: str) -> int:
    """The number of characters to insert, remove or replace; at least three once it is known to be that."""
    if abs(len(left) - len(right)) > _FARTHEST:
        return _FARTHEST + 1
    above = list(range(len(right) + 1))
    for row, char in enumerate(left, 1):
        here = [row]
        for column, other in enumerate(right, 1):
            here.append(min(above[column] + 1, here[-1] + 1, above[column - 1] + (char != other)))
        above = here
    return above[-1]
