"""One line: whether a builder takes a text for one line of a Dockerfile, and reads on behind it."""

from __future__ import annotations


def is_line(text: str) -> bool:
    """Whether an instruction, or its end, is on one line and complete there."""
    return "\n" not in text and not goes_on(text)


def goes_on(line: str) -> bool:
    """Whether a builder reads on behind the end of a line that is no comment."""
    return line.rstrip(" \t").endswith("\\")
