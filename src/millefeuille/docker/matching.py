"""How the filters of networks and volumes compare.

Source: moby v28.2.2, api/types/filters/parse.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from millefeuille.later import re


def matches(patterns: Iterable[str], text: str) -> bool:
    """Whether one of `patterns` is `text`, or an expression found in it; true where there is no pattern."""
    wanted = tuple(patterns)
    return not wanted or any(pattern == text or _found(pattern, text) for pattern in wanted)


def _found(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False
