"""The part of a Dockerfile around a line, as BuildKit shows it below what failed."""

from __future__ import annotations

from typing import Final

from millefeuille.faces.cli.building.dockerfile import Written

_AROUND: Final = 2  # lines before and behind
_RULE: Final = "-" * 20


def excerpt(written: Written, line: int) -> str:
    """A few lines around `line`, counted from 1, which is marked; "" when it stands in no file."""
    if not line:
        return ""
    lines = written.text.decode("utf-8", "replace").splitlines()
    first, last = max(1, line - _AROUND), min(len(lines), line + _AROUND)
    shown = [
        f"{number:4} | {'>>>' if number == line else '   '} {lines[number - 1]}"
        for number in range(first, last + 1)
    ]
    return "\n".join([f"{written.name}:{line}", _RULE, *shown, _RULE])
