"""Cutting text to a width, as Docker's tables do."""

from __future__ import annotations

from millefeuille.docker.table import width

_DOTS = "…"


def ellipsis(text: str, columns: int) -> str:
    """`text` in at most `columns` columns of a terminal, its end replaced by `…` where it is longer."""
    if columns <= 0:
        return ""
    if width(text) <= columns:
        return text
    if columns == 1:
        return text[:1]
    taken = 0
    for place, letter in enumerate(text):
        taken += width(letter)
        if taken > columns - 1:
            return text[:place] + _DOTS
    return text
