"""Beside: whether something in a Dockerfile needs what lies beside a program's sources in the context."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence

from millefeuille.analysis.advice.reach import cut, directories, rows, text_of
from millefeuille.analysis.advice.step import Step
from millefeuille.analysis.advice.targets import absolute_path
from millefeuille.analysis.advice.waste import Waste
from millefeuille.annotations import Final

_NODE: Final = r"(?:npm|yarn|pnpm|bun)\b(?! (?:\S+ )*?(?:-g|--global|global)\b)"
_PYTHON: Final = (
    r"(?:python[\d.]* -m )?(?:venv|virtualenv|pip[\d.]*) |poetry (?:\S+ )*install\b|pipenv (?:install|sync)\b"
    r"|uv (?:sync|venv|pip)\b"
)
# What programs need to run, by the commands that make it; the other names are only of use to who writes them.
MADE_BY: Final = {
    name: re.compile(pattern)
    for name, pattern in (
        ("node_modules", _NODE + r"(?: (?:\S+ )*?(?:ci|i|install|clean-install|fetch)\b|(?: -\S+)* $)"),
        ("bower_components", r"bower (?:\S+ )*?install\b"),
        (".next", r"(?:next|npm|yarn|pnpm|bun) (?:\S+ )*?build\b"),
        (".terraform", r"terraform (?:\S+ )*?init\b"),
        (".venv", _PYTHON),
        ("venv", _PYTHON),
        ("env", _PYTHON),
    )
}
"""By name, what a command that makes it begins with."""
_ELSEWHERE: Final = (".venv", "venv", "env")  # may be made at another place, if nobody names this one
_HISTORY: Final = (".git", ".svn", ".hg")
# What asks for the history of the sources, and what of it does not.
_ASKING: Final = re.compile(
    r"(?:git|svn|hg|setuptools[_-]scm|git-\S+) "
    r"|go (?:build|install|generate)\b(?!.* -buildvcs=false\b)"
    r"|(?:python[\d.]* -m )?pip[\d.]* (?:\S+ )*?install (?:\S+ )*?(?:\.|\./\S*|/\S*|-e) "
    r"|python[\d.]* (?:-m build\b|setup\.py )|(?:uv|poetry|hatch|flit|pdm) (?:\S+ )*?build\b|npm version "
)
_APART: Final = re.compile(
    r"git (?:-c \S+ )*(?:clone|init|lfs install|--version|config (?:\S+ )*?--(?:global|system))\b"
)
_STARTS: Final = ("CMD", "ENTRYPOINT", "HEALTHCHECK", "ONBUILD")
_FORCED: Final = re.compile(r"rm (?:\S+ )*?(?:-\w*f\w*|--force) ")
_SETTING: Final = re.compile(r"\w+=")
_TOKENS: Final = re.compile(r"[\s\"'=:,;&|()<>`\[\]]+")


def is_needed(waste: Waste, name: str, found: Collection[bytes], first: int) -> bool:
    """Whether something needs the files `found`, which a step from `first` on brought, with that name in
    their paths.
    """
    places, last = roots(name, found), len(waste.script)
    if any(_is_taken(step, name) for step in waste.script):
        return True
    if name in MADE_BY:
        made = [_made(waste, name, place, first) for place in places]
        if all(number > 0 for number in made):  # behind which it is another's
            return _is_named(waste, name, places, range(first + 1, max(made) + 1), is_made=True)
        if name not in _ELSEWHERE or not any(_installs(waste, name, n) for n in range(first, last)):
            return True
    steps = range(first + 1, last)
    return _is_named(waste, name, places, steps) or _is_started(waste, name, places)


def roots(name: str, found: Collection[bytes]) -> set[str]:
    """The first directories of that name, or files, on each of the paths, from the root on."""
    raw = name.encode()
    parts = [path.split(b"/") for path in found]
    return {absolute_path(b"/".join(row[: row.index(raw) + 1])) for row in parts if raw in row}


def _is_taken(step: Step, name: str) -> bool:
    """Whether a step takes it from the context by its name, or mounts it."""
    words = [*step.operands[:-1]] if step.copies else []
    words += [flag for flag in step.flags if flag.startswith("--mount=type=bind")]
    return any(name in re.split(r"[/=,]", word) for word in words)


def _made(waste: Waste, name: str, place: str, first: int) -> int:
    """The RUN behind `first` that makes what is at a place anew; -1 for none."""
    below = place[1:].encode("utf-8", "surrogateescape") + b"/"
    for layer, number in sorted(waste.own.items()):
        if number > first and waste.script[number].word == "RUN" and _installs(waste, name, number):
            paths = waste.image.parts[layer].layer.paths
            is_here = directories(waste, number) == (posixpath.dirname(place),) and name not in _ELSEWHERE
            if is_here or any(path.startswith(below) for path in paths):
                return number
    return -1


def _installs(waste: Waste, name: str, number: int) -> bool:
    step = waste.script[number]
    return step.word == "RUN" and any(MADE_BY[name].match(text_of_row(row)) for row in rows_of(step))


def rows_of(step: Step) -> Iterator[list[str]]:
    """The words of each command of a step, or of what it sets."""
    if step.word == "RUN" and not step.body.startswith("["):
        return cut(text_of(step))
    return cut(_SETTING.sub(" ", step.body) if step.word == "ENV" else " ".join(step.operands))


def text_of_row(row: Sequence[str]) -> str:
    """A command, the name of its tool first."""
    return " ".join((*next(rows(" ".join(row)), ()), ""))


def _is_named(
    waste: Waste, name: str, places: Collection[str], steps: Sequence[int], *, is_made: bool = False
) -> bool:
    """Whether some of the steps mean what is at the places; where the last one makes that anew, what stands
    in front of that.
    """
    for number in steps:
        step = waste.script[number]
        if step.word not in ("RUN", "ENV", *_STARTS):
            continue
        for row in rows_of(step):
            if is_made and number == steps[-1] and MADE_BY[name].match(text_of_row(row)):
                break
            if means(row, name, places, is_path=step.word == "ENV"):
                return True
    return False


def _is_started(waste: Waste, name: str, places: Collection[str]) -> bool:
    """Whether a container begins with it, as the base says."""
    process = waste.image.config.process
    given = [process.get("Entrypoint"), process.get("Cmd")]
    texts = [" ".join(map(str, words)) for words in given if isinstance(words, list)]
    return any(means(row, name, places) for text in texts for row in cut(text))


def means(row: Sequence[str], name: str, places: Collection[str], *, is_path: bool = False) -> bool:
    """Whether a command names what is at the places, or asks for the history that lies there; `is_path` for
    what only counts where it is a path.
    """
    text = text_of_row(row)
    if name in _HISTORY and _ASKING.match(text) and not _APART.match(text):
        return True
    if _FORCED.match(text):
        return False
    words = row if is_path or row[0] != name else row[1:]  # `env` is a tool, too
    return any(
        _is_at(token, name, places)
        for word in words for token in _TOKENS.split(word) if not is_path or "/" in token
    )  # fmt: skip


def _is_at(token: str, name: str, places: Collection[str]) -> bool:
    names = token.split("/")
    if name not in names:
        return False
    if not token.startswith("/"):
        return True
    return posixpath.normpath("/".join(names[: names.index(name) + 1])) in places
