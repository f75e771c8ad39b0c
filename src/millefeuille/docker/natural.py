"""The order of names in Docker's lists: numbers within them count as numbers.

Source: github.com/fvbommel/sortorder, natsort.go.
"""

from __future__ import annotations

from millefeuille.annotations import Final
from millefeuille.later import pattern

_DIGITS: Final = pattern(r"([0-9]+)")


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """A key to sort by: `web2` comes before `web10`."""
    parts = (part for part in _DIGITS.split(name) if part)
    return tuple((0, int(part), part) if part[0] in "0123456789" else (1, 0, part) for part in parts)
