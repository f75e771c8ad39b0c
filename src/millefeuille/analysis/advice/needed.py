"""Needed: whether something but the tool itself needs what lies in its cache.

A mount covers what the image has in its place, and what is in it no later step sees, nor a container.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from millefeuille.analysis.advice.reach import directories, paths_of, real, rows, text_of
from millefeuille.analysis.advice.step import Step
from millefeuille.analysis.advice.surroundings import expanded
from millefeuille.analysis.advice.waste import Waste
from millefeuille.annotations import Final
from millefeuille.layers.entry import DIRECTORY, SYMLINK

_HARMLESS: Final = frozenset(
    "rm rmdir mkdir ls du chown chmod chgrp cd test [ echo printf yes touch".split()
)
# With these a word means what lies below it, too.
_COPYING: Final = frozenset(("cp", "mv", "tar", "bsdtar", "rsync", "zip", "cpio", "mksquashfs"))
_BRACES: Final = re.compile(r"(?<!\$)\{[^}]*\}")
_SPECIAL: Final = re.compile(r"[*?\[]")
_HOME: Final = re.compile(r"~|\$HOME|\$\{HOME\}")
_BEGIN: Final = re.compile(r"[$~][^/]*")
# What is to be there already.
_OFFLINE: Final = re.compile(
    r"--(?:prefer-)?offline\b|--no-index\b|--no-download\b|\bmvnw?\b[^;&|]*\s-o\b|\bGOPROXY=off\b"
)
# Commands that use what was fetched when a container runs.
_RUNNING: Final = re.compile(
    r"(?:^|[\s;&|(/])(?:go (?:run|test|tool|build|generate)|mvnw?|gradlew?|sbt|cs|cargo|deno|npx"
    r"|npm (?:exec|x)|bunx|uvx|pnpm dlx|yarn dlx|uv tool|dotnet (?:run|watch|test|build|restore)"
    r"|bazel|bazelisk|cabal)(?: |$)"
)
_REPOSITORY: Final = ".m2/repository"
_STARTS: Final = ("CMD", "ENTRYPOINT", "HEALTHCHECK", "ONBUILD")
_INSTALLS: Final = re.compile(r"\bmvnw?\s[^;&|]*(?<![\w:.-])install(?![\w:.-])")  # into its repository
_PLUG_AND_PLAY: Final = re.compile(rb"(?:^|.*/)\.pnp\.c?js")  # with which Yarn reads packages in their cache


def is_needed(waste: Waste, path: str, tool: str, steps: Sequence[int]) -> bool:
    """Whether a mount at `path` for the steps hides files from one that needs them, or from a container.

    `tool` is the pattern of the commands whose cache that is.
    """
    own = re.compile(rf"(?:{tool})\s")
    return (
        _is_brought(waste, path)
        or _is_linked(waste, path)
        or _is_relied_upon(waste, path, steps)
        or any(_is_fetched(waste, n, path) for n in range(min(steps), len(waste.script)))
        or any(_names(waste, n, path, own if n in steps else None) for n in _later(waste, min(steps)))
        or _is_started(waste, path)
    )


def _later(waste: Waste, first: int) -> Iterator[int]:
    return (n for n in range(first, len(waste.script)) if waste.script[n].word in ("RUN", *_STARTS))


def _is_brought(waste: Waste, path: str) -> bool:
    """Whether a COPY put files there, or a base has what Maven installed, which a mount covers."""
    for number, part in enumerate(waste.image.parts):
        counts = waste.step(number).word != "RUN" if number in waste.own else path.endswith(_REPOSITORY)
        layer = part.layer
        if counts and any(
            kind != DIRECTORY and _lies_in(raw, path)
            for raw, kind in zip(layer.paths, layer.kinds, strict=True)
        ):  # fmt: skip
            return True
    return False


def _is_linked(waste: Waste, path: str) -> bool:
    """Whether symbolic links lead into the cache from elsewhere, or Yarn does without links."""
    is_yarn = path.endswith(".yarn/berry/cache")
    for number in waste.own:
        layer = waste.image.parts[number].layer
        if is_yarn and any(map(_PLUG_AND_PLAY.fullmatch, layer.paths)):
            return True
        for entry, kind in enumerate(layer.kinds):
            if kind == SYMLINK and not _lies_in(layer.paths[entry], path):
                above = b"/" + posixpath.dirname(layer.paths[entry])
                if _lies_in(posixpath.normpath(posixpath.join(above, layer.index.link(entry))), path):
                    return True
    return False


def _lies_in(raw: bytes, path: str) -> bool:
    return (raw.lstrip(b"/") + b"/").startswith(path.encode("utf-8", "surrogateescape") + b"/")


def _is_relied_upon(waste: Waste, path: str, steps: Sequence[int]) -> bool:
    """Whether a step needs what an earlier one has put there: the mount may have been emptied."""
    texts = [text_of(waste.script[n]) for n in steps if waste.script[n].word == "RUN"]
    if path.endswith(_REPOSITORY) and any(map(_INSTALLS.search, texts[:-1])):
        return True
    flags = [flag for n in steps for flag in waste.script[n].flags]
    return any(map(_OFFLINE.search, texts)) or "--network=none" in flags


def _is_fetched(waste: Waste, number: int, path: str) -> bool:
    """Whether a COPY takes it from a stage, or a RUN mounts it from one."""
    step = waste.script[number]
    if step.word in ("COPY", "ADD") and any(flag.startswith("--from=") for flag in step.flags):
        return any(_means(waste, number, word, ("/",), path, above=True) for word in step.operands[:-1])
    mounts = [flag for flag in step.flags if flag.startswith("--mount=") and "from=" in flag]
    sources = [re.search(r"(?:source|src)=([^,]+)", flag) for flag in mounts]
    return any(
        _means(waste, number, found[1] if found else "/", ("/",), path, above=True) for found in sources
    )


def _is_started(waste: Waste, path: str) -> bool:
    """Whether a container begins with a command that may use what is there."""
    process = waste.image.config.process
    texts = [" ".join(step.operands) for step in waste.script if step.word in _STARTS]
    for name in ("Entrypoint", "Cmd"):
        words = process.get(name)
        texts += [" ".join(map(str, words))] if isinstance(words, list) else []
    return not path.startswith("var/") and any(map(_RUNNING.search, texts))


def _names(waste: Waste, number: int, path: str, own: re.Pattern[str] | None) -> bool:
    """Whether commands of a step may mean what lies at `path`, or below it; with `own`, that of a tool, what
    it says itself and where something is written are left out.
    """
    step = waste.script[number]
    places = directories(waste, number)
    for row in rows(_commands(step)):
        if row[0] in _HARMLESS or (row[0] == "find" and "-delete" in row):
            continue
        if own is not None and own.match(" ".join((*row, ""))):
            continue
        words = [
            word for before, word in zip(("", *row), row, strict=False)
            if own is None or before != ">"
        ]  # fmt: skip
        above = row[0] in _COPYING
        parts = (part for word in words[1:] for part in paths_of(word))
        if any(_means(waste, number, part, places, path, above=above) for part in parts):
            return True
    return False


def _commands(step: Step) -> str:
    return text_of(step) if step.word == "RUN" and not step.body.startswith("[") else " ".join(step.operands)


def _means(
    waste: Waste, number: int, word: str, places: Sequence[str] | None, path: str, *, above: bool
) -> bool:
    """Whether a word may mean the path or what is in it; with `above`, what it lies in."""
    if above and _HOME.fullmatch(word):
        return True
    known = expanded(waste, number, word)
    word = _BRACES.sub("*", word if known is None else known)
    goal = path.split("/")
    if word.startswith("/") or (places is not None and word[:1] not in ("", "~", "$")):
        full = [posixpath.normpath(posixpath.join(place, word)) for place in places or ("/",)]
        full += [real(waste, number, one) for one in full if not _SPECIAL.search(one)]
        return any(_meets([name for name in one.split("/") if name], goal, above) for one in full)
    names = [name for name in _BEGIN.sub("", word, count=1).split("/") if name not in ("", ".", "..")]
    if not names or not names[0].strip("*?"):
        return False  # it may mean anything, as a name that is only in a script may
    return any(_meets(names, goal[place:], above) for place in range(len(goal)))


def _meets(names: Sequence[str], goal: Sequence[str], above: bool) -> bool:
    """Whether names, perhaps patterns, lead to the goal or below it, or with `above` to what it lies in."""
    short = min(len(names), len(goal))
    if len(names) < len(goal) and not above and not _SPECIAL.search("/".join(names)):
        return False
    return all(map(fnmatchcase, goal[:short], names[:short]))
