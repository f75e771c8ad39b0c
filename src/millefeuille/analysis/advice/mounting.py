"""Mounting: a RUN with a cache mount, which is neither to be emptied by it nor to be relied upon."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from millefeuille.analysis.advice.edits import AddFlag, DropCommands, Edit, Prefix, Remove
from millefeuille.analysis.advice.mountpoints import mountpoints
from millefeuille.analysis.advice.packagelists import LISTS, PackageList
from millefeuille.analysis.advice.reach import rows, text_of
from millefeuille.analysis.advice.shell import commands, words
from millefeuille.analysis.advice.step import Step
from millefeuille.analysis.advice.surroundings import home
from millefeuille.analysis.advice.waste import Waste
from millefeuille.annotations import Final

_REMOVING: Final = frozenset(("rm", "rmdir", "mv"))
_BRACES: Final = re.compile(r"(?<!\$)\{[^}]*\}")
_AS_ROOT: Final = re.compile(r"\b(?:sudo|doas|su|gosu)\s")  # which who fetches has to be, too
_AT_HOME: Final = re.compile(r"(?:~|\$HOME|\$\{HOME\})/")
_EMPTYING: Final = re.compile(
    r"(?:apt-get|apt|aptitude) (?:-\S+ )*(?:auto|dist)?clean"
    r"|(?:dnf|yum|microdnf|zypper) (?:-\S+ )*clean(?: .*)?|apk cache clean"
    r"|pip3? cache purge|npm cache clean(?: .*)?|yarn cache clean(?: .*)?|pnpm store prune"
    r"|uv cache clean|go clean (?:-\S+ ?)+|composer (?:clear-?cache|cc)|(?:conda|mamba) clean(?: .*)?"
)


def mounting(waste: Waste, path: str, flag: str, steps: Sequence[int]) -> tuple[Edit, ...]:
    """The edits that give the steps a mount at `path`; none where a RUN could find it empty.

    A mount may be empty at any time, while the step that filled it is in the build cache. So who needs the
    lists of a package manager has to fetch them himself, and nobody is to empty it.
    """
    edits: list[Edit] = []
    lists = LISTS.get(path)
    for number in steps:
        step = waste.script[number]
        if lists and _only_fetches(step, lists) and any(lists.is_needed(waste.script[n]) for n in steps):
            edits.append(Remove(number))
            continue
        if lists and lists.is_needed(step) and not lists.is_fetched(step):
            if step.fixed or _AS_ROOT.search(text_of(step)):
                return ()
            edits.append(Prefix(number, lists.fetch))
        if _takes_away(waste, number, path):
            return ()
        points = mountpoints(waste, number, step.flags)
        if points is None:
            return ()
        if f"/{path}" not in points:
            edits.append(AddFlag(number, flag))
        edits += _kept(waste, number, path)
    return tuple(edits)


def _only_fetches(step: Step, lists: PackageList) -> bool:
    row = commands(step.body) or ()
    return len(row) == 1 and lists.fetched.match(row[0]) is not None and not lists.is_needed(step)


def _takes_away(waste: Waste, number: int, path: str) -> bool:
    """Whether a RUN removes or moves the directory as a whole, or what it lies in: a mount is busy."""
    step = waste.script[number]
    found = [path, *map(str, PurePosixPath(path).parents)][:-1]
    is_left = step.fixed or commands(step.body) is None
    for tool, *operands in rows(text_of(step)):
        if tool not in _REMOVING and "-delete" not in operands:
            continue
        # What empties the directory is left out, where it can be told apart.
        named = [word for word in operands if word[0] != "-"]
        named = [word for word in named if is_left or not _is_in(waste, number, word, path)]
        if any(_is_like(word, each) for word in named for each in found):
            return True
    return False


def _is_like(word: str, path: str) -> bool:
    """Whether a word, perhaps a pattern or below a home, may mean a path."""
    word = _BRACES.sub("*", word)
    names, places = [name for name in word.split("/") if name not in ("", ".")], path.split("/")
    if not word.startswith("/"):
        names = names[1:] if word[0] in "~$" else names
        places = places[-len(names) :] if names else []
    return bool(names) and len(names) == len(places) and all(map(fnmatchcase, places, names))


def _kept(waste: Waste, number: int, path: str) -> list[Edit]:
    """The edits that leave out what empties the mount."""
    found: list[Edit] = []
    body = "" if waste.script[number].fixed else waste.body(number)
    for text in commands(body) or ():
        if _EMPTYING.fullmatch(" ".join(words(text))):
            found.append(DropCommands(number, (text,)))
            continue
        tool, *rest = words(text) or ("",)
        left = [word for word in rest if not _is_in(waste, number, word, path)]
        if tool == "rm" and len(left) < len(rest):
            others = [word for word in left if not word.startswith("-")]
            instead = " ".join(
                word for word in text.split() if not _is_in(waste, number, word.strip("\"'"), path)
            )
            found.append(DropCommands(number, (text,), instead if others else ""))
    return found


def _is_in(waste: Waste, number: int, word: str, path: str) -> bool:
    """Whether a word of `rm` in a step names the directory, or what is in it."""
    match = _AT_HOME.match(word)
    place = home(waste, number) if match else None
    if match and place is not None:
        word = f"{place}/{word[match.end() :]}"
    return word.rstrip("/") == f"/{path}" or word.startswith(f"/{path}/")
