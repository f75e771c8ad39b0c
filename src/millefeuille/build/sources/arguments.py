"""Arguments: what the text of one source argument of COPY means, before the source is asked.

The path is cleaned, and cannot climb above the root. From its first part with wildcards on, each part is
matched with the names in a directory; what a matched directory holds is not looked through for more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile

from millefeuille.build.sources.glob import component, has_wildcards

__all__ = ["Names", "cleaned", "expanded", "has_wildcards", "pivot"]

# The names in a directory that are there, sorted, and whether each is a directory, no link to one.
Names = Callable[[str], Iterable[tuple[str, bool]]]


def cleaned(text: str) -> str:
    """A path below the root without `.`, `..` and slashes at its ends."""
    parts: list[str] = []
    for part in text.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def pivot(text: str) -> tuple[str, str]:
    """The directory that an argument of `COPY --parents` starts from, and the pattern below it.

    That is what is before and behind `/./`; without one, the root and all of it. "" as a pattern is all.
    """
    before, found, behind = text.partition("/./")
    if not found:
        before, behind = "", text.removeprefix("./")
    return cleaned(before), cleaned(behind)


def expanded(argument: str, names: Names) -> Iterator[str]:
    """The paths that an argument stands for, in order: itself, cleaned, when it has no wildcards.

    Raises BadPattern.
    """
    parts = cleaned(argument).split("/")
    plain = list(takewhile(lambda part: not has_wildcards(part), parts))
    tests = [component(part) for part in parts[len(plain) :]]
    if not tests:
        yield "/".join(plain)
        return
    waiting = [("/".join(plain), 0)]
    while waiting:
        path, depth = waiting.pop()
        if depth == len(tests):
            yield path
            continue
        last = depth == len(tests) - 1
        found = [
            (f"{path}/{name}" if path else name, depth + 1)
            for name, is_directory in names(path)
            if (last or is_directory) and tests[depth].fullmatch(name)
        ]
        waiting += reversed(found)
