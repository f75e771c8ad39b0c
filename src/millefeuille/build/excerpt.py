"""The lines of a Dockerfile around an instruction, as BuildKit shows them."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.build.dockerfile.instructions import Location

_RULER = "-" * 20 + "\n"


def excerpt(source: Sequence[str], location: Location, name: str) -> str:
    """The lines of `location` marked by `>>>`, with some of the lines around them.

    Empty where they do not exist.
    """
    first, last = location.first, min(location.last, len(source))
    if not 1 <= first <= len(source):
        return ""
    above, below = _around(first, last, len(source))
    rows = []
    for number in range(first - above, last + below + 1):
        mark = ">>>" if first <= number <= last else "   "
        text = source[number - 1].rstrip("\r")
        rows.append(f" {number:3} | {mark} {text}\n")
    return f"{name}:{first}\n{_RULER}{''.join(rows)}{_RULER}"


def _around(first: int, last: int, count: int) -> tuple[int, int]:
    """How many lines to show above and below: about four around one line, about two around several."""
    above = below = steps = 0
    while steps < (4 if first == last else 2):
        if first - above > 1:
            above += 1
            steps += 1
        if last + below < count:
            below += 1
            steps += 1
        steps += 1
    return above, below
