"""Removing: the commands of a RUN that only remove what was copied."""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase

from millefeuille.analysis.advice import shell
from millefeuille.analysis.advice.surroundings import absolute
from millefeuille.analysis.advice.waste import Waste


def commands(waste: Waste, layer: int, targets: Collection[str]) -> tuple[str, ...]:
    """The commands of the RUN that made `layer` which remove these paths, given from the root on, and nothing
    else; none unless they remove them all.
    """
    number = waste.own[layer]
    gone = [f"/{path.decode('utf-8', 'surrogateescape')}" for path in waste.account.removed[layer]]
    found: list[str] = []
    left = set(targets)
    moved = False
    for text in shell.commands(waste.script[number].body) or ():
        tool, *rest = shell.words(text) or ("",)
        moved = moved or tool == "cd"
        operands = [word for word in rest if not word.startswith("-")]
        if tool != "rm" or any(moved and not word.startswith("/") for word in operands):
            continue
        matched = [_matched(absolute(waste, number, word), gone, targets) for word in operands]
        if any(each and not each <= set(targets) for each in matched):
            return ()
        if operands and all(matched):
            found.append(text)
            left -= set().union(*matched)
    return tuple(found) if targets and not left else ()


def _matched(pattern: str | None, gone: list[str], targets: Collection[str]) -> set[str]:
    """Of the removed paths those that a word of `rm` means."""
    if pattern is None:
        return set()
    if pattern in targets:
        return {pattern}
    parts = pattern.split("/")
    return {path for path in gone if _is_like(path.split("/"), parts)}


def _is_like(path: list[str], pattern: list[str]) -> bool:
    return len(path) == len(pattern) and all(map(fnmatchcase, path, pattern))
