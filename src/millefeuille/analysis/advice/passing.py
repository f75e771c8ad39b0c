"""Passing: whether a RUN does the same when an instruction behind it, which writes files or sets variables,
stands in front of it, or the other way round.

What a program reads nobody can see. So of a few tools it is known that they do what their words say; of
others it is assumed only that they leave files alone which lie elsewhere and are none of the system's.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Sequence

from millefeuille.analysis.advice.installs import is_apart
from millefeuille.analysis.advice.reach import directories, may_mean, rows, text_of
from millefeuille.analysis.advice.step import Step
from millefeuille.analysis.advice.targets import absolute_path
from millefeuille.analysis.advice.waste import Waste
from millefeuille.annotations import Final
from millefeuille.layers.entry import SYMLINK

PLAIN: Final = frozenset((
    "rm", "rmdir", "mkdir", "mv", "cp", "ln", "chmod", "chown", "chgrp", "touch", "echo", "printf", "cat",
    "head", "tail", "true", "false", ":", "test", "[", "yes", "seq", "sleep", "cd", "set", "for", "dd", "wc",
    "cut", "tee", "tr", "truncate", "sync", "sha256sum", "md5sum", "basename", "dirname", "mkfifo", "unlink",
))  # fmt: skip
"""Tools that do what their words say."""
_LISTING: Final = frozenset(("find", "ls", "du", "tree", "git", "rg"))  # in every directory
_SYSTEM: Final = re.compile(
    r"/(?:etc|usr(?!/(?:local/)?src/|/share/nginx/)|lib\w*|s?bin|var(?!/www/)|boot|run)(?:/|$)"
    r"|/(?:root|home/[^/]+)/\."
)
_NAMES: Final = re.compile(r"/etc/(?:passwd|group)")
# What decides how every tool goes.
_ALWAYS: Final = re.compile(
    r"PATH|HOME|IFS|ENV|BASH_ENV|SHELLOPTS|BASHOPTS|CDPATH|PWD|OLDPWD|TMPDIR|LANG|LANGUAGE|(?:LC|LD)_.*|POSIX.*"
    r"|PS\d|OPTIND|GLOBIGNORE|EXECIGNORE"
)
# What may tell of every variable.
_TELLING: Final = re.compile(
    r"\$\{!|/proc\b|\bset\b(?!\s+[-+])|\b(?:printenv|declare|typeset|export\s+-p)\b|\benv\b\s*(?:[|&;>)]|-0|$)",
    re.MULTILINE,
)


def passes_files(waste: Waste, number: int, writer: int) -> bool:
    """Whether a RUN `number` passes what the later step `writer` writes."""
    layer = waste.script[writer].layer
    if layer < 0:
        return waste.script[writer].word == "WORKDIR"  # which found its directory
    paths = _written(waste, layer)
    run = waste.script[number]
    if not paths:
        return True
    return not (
        _wrote(waste, run.layer, paths, known=_is_plain(run)) or may_mean(waste, number, paths)
        or _reads(waste, number, paths)
    )  # fmt: skip


def passes_names(run: Step, setting: Step) -> bool:
    """Whether a RUN passes an ENV or ARG."""
    names = names_of(setting)
    if names is None or not _is_plain(run):
        return False
    return not any(_ALWAYS.fullmatch(name) or says(run, name) for name in names)


def says(step: Step, name: str) -> bool:
    """Whether a step names a variable, or tells of all that there are."""
    text = " ".join((*step.flags, text_of(step))) if step.word == "RUN" else step.text
    if step.word == "RUN" and _TELLING.search(text):
        return True
    return re.search(rf"\b{re.escape(name)}\b", text) is not None


def names_of(step: Step) -> Collection[str] | None:
    """What an ENV or ARG sets; None where that is not plain."""
    try:
        words = shlex.split(step.body)
    except ValueError:
        return None
    if step.word == "ENV" and words and "=" not in words[0]:
        words = words[:1]
    names = {word.partition("=")[0] for word in words}
    return names if names and all(re.fullmatch(r"\w+", name) for name in names) else None


def _is_plain(step: Step) -> bool:
    """Whether all that a step runs does what its words say, in every environment."""
    return step.word != "RUN" or all(row[0] in PLAIN for row in rows(text_of(step)))


def _written(waste: Waste, layer: int) -> set[str]:
    """What a layer made or changed, without what lies in directories that it made."""
    part = waste.image.parts[layer].layer
    found = {absolute_path(path) for path in waste.account.removed[layer]}
    last = ""
    for path in sorted(part.written, key=lambda path: path + b"/"):
        text = absolute_path(path)
        if path and not waste.is_touched(layer, path) and not (last and text.startswith(last)):
            found.add(text)
            last = f"{text}/"
    return found


def _wrote(waste: Waste, layer: int, paths: Collection[str], *, known: bool) -> bool:
    """Whether the layer of a RUN has something at the paths, above or below. A directory above that it only
    wrote into does not count when all of its commands are `known` for doing what they say.
    """
    if layer < 0:
        return False
    part = waste.image.parts[layer].layer
    found = set(waste.account.removed[layer])
    for path, entry in part.written.items():
        if path and not (known and waste.is_touched(layer, path)):
            found.add(path)
        if part.kinds[entry] == SYMLINK and part.index.link(entry).startswith(b"/"):
            found.add(part.index.link(entry)[1:])
    above = {path[:at] for path in paths for at, sign in enumerate(path) if sign == "/" and at} | set(paths)
    below = tuple(f"{path}/" for path in paths)
    return any(text in above or text.startswith(below) for text in map(absolute_path, found))


def _reads(waste: Waste, number: int, paths: Collection[str]) -> bool:
    """Whether a program of a RUN may read the paths though none of its words says so."""
    run = waste.script[number]
    if run.word != "RUN":
        return False
    if {path.rpartition("/")[2] for path in paths} & {row[0] for row in rows(text_of(run))}:
        return True  # which is another program then
    if _is_plain(run):
        return any(map(_NAMES.match, paths))
    return any(map(_SYSTEM.match, paths)) or is_around(waste, number, paths, text_of(run))


def is_around(waste: Waste, number: int, paths: Collection[str], text: str) -> bool:
    """Whether a program of the part `text` of a RUN may look around where it is run, and see the paths."""
    others = [row for row in rows(text) if _looks_around(row)]
    places = directories(waste, number)
    if not others or places is None:
        return bool(others)
    is_listed = any(row[0] in _LISTING for row in others)
    around = [f"{place.rstrip('/')}/" for place in places if place != "/" or is_listed]
    return any(path.startswith(tuple(around)) or f"{path}/" in around for path in paths)


def _looks_around(row: Sequence[str]) -> bool:
    """Whether a command may read files that none of its words names."""
    if row[0] in _LISTING:
        named = next((word for word in row[1:] if not word.startswith("-")), "")
        return not named.startswith("/")
    return row[0] not in PLAIN and not is_apart(" ".join((*row, "")))
