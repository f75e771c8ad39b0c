"""Whole numbers in texts from outside, as headers, references and Dockerfiles hold them."""

from __future__ import annotations

_MOST = 19  # digits: more make no number of 63 bits, and thousands of them none that Python reads


def whole_number(text: str) -> int | None:
    """The number that `text` is: 1 to 19 ASCII digits. None for any other text, as "²" or "+1"."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST else None
