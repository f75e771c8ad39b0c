"""Reach: which paths the commands of a RUN may mean, by their words.

No shell is run here, so a text is cut at every sign that a shell knows, and what is left is held against
paths. What only a shell could tell is taken for whatever it may be.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Sequence

from millefeuille.analysis.advice.installs import is_apart
from millefeuille.analysis.advice.step import Step
from millefeuille.analysis.advice.surroundings import expanded, workdir
from millefeuille.analysis.advice.waste import Waste
from millefeuille.annotations import Final
from millefeuille.layers.entry import SYMLINK

_COMMENT: Final = re.compile(r"^\s*#.*$", re.MULTILINE)
_STREAM: Final = re.compile(r"\d*[<>]&[\d-]+")
_ENDS: Final = re.compile(r"[;&|\n()`]+")
_INTO: Final = re.compile(r"[<>]+")
_GAPS: Final = re.compile(r"[\s\"'\\]+")
_PARTS: Final = re.compile(r"[=:,@]")
_VARIABLE: Final = re.compile(r"\$\w+|\$\{\w+\}")
_PLAIN_VARIABLE: Final = re.compile(r"\$\{\w+\}")
_SPECIAL: Final = re.compile(r"[*?\[$~{]")
_SIGNS: Final = frozenset(("[", "]", "[[", "]]", "{", "}", ">", "$?"))  # words that are no paths
_PLAIN_PATH: Final = re.compile(r"[\w./%+-]+")  # which stays one word when a text is cut
_KEYWORDS: Final = frozenset(("if", "elif", "then", "else", "while", "until", "do", "!", "time", "exec"))
_ENDING: Final = frozenset(("fi", "done"))
_ASSIGNED: Final = re.compile(r"[A-Za-z_]\w*=.*")
_LOOP: Final = re.compile(r"\bfor\s+(\w+)\s+in\b")
_MOST_LINKS: Final = 40  # that are followed, as by Linux


def text_of(step: Step) -> str:
    """What a RUN has a shell do, without comments; the operands of another instruction."""
    text = (step.script or step.command or step.body) if step.word == "RUN" else step.body
    return _COMMENT.sub("", text.replace("\\\n", " "))


def rows(text: str) -> Iterator[tuple[str, ...]]:
    """The words of each simple command, the name of a tool first; a loop begins with `for`, and behind `>` is
    a file that is read or written.
    """
    for row in cut(text):
        at = next((n for n, word in enumerate(row) if not _is_before(word)), len(row))
        if at < len(row) and row[at] not in _ENDING:
            yield (posixpath.basename(row[at]), *row[at + 1 :])


def may_mean(waste: Waste, number: int, paths: Collection[str], text: str = "") -> bool:
    """Whether a word of a RUN, or of the part `text` of it, may mean one of the paths, from the root on, or
    what lies above or below.
    """
    if not all(map(_PLAIN_PATH.fullmatch, paths)):
        return True
    text = text or text_of(waste.script[number])
    loops = {f"${name}" for name in _LOOP.findall(text)}  # the words that they stand for are looked at
    places = directories(waste, number)
    words = {
        word for row in cut(text) if row[0] != "cd" for word in row
        # Packages are given in variables, too.
        if not (_VARIABLE.fullmatch(word) and is_apart(" ".join((*row, ""))))
    }  # fmt: skip
    return any(
        _may_be(waste, number, part, places, paths)
        for word in words - _SIGNS for part in paths_of(word) if part not in loops
    )  # fmt: skip


def cut(text: str) -> Iterator[list[str]]:
    """The words of each simple command as they stand there, with what stands in front of the tool."""
    # What a command between such marks says is as unknown as a variable.
    plain = _INTO.sub(" > ", _STREAM.sub(" ", text.replace("`", " $ `")))
    for piece in _ENDS.split(plain):
        row = [word for word in _GAPS.split(piece) if word]
        if row:
            yield row


def _is_before(word: str) -> bool:
    """Whether a word may stand in front of the name of a tool."""
    return word in _KEYWORDS or word in "{}" or _ASSIGNED.fullmatch(word) is not None


def directories(waste: Waste, number: int) -> tuple[str, ...] | None:
    """Where the commands of a RUN may be run; None where nobody can say."""
    text = text_of(waste.script[number])
    found, here = list(rows(text)), workdir(waste, number)
    if here is None and (not found or found[0][0] != "cd" or "(" in text):
        return None
    places = [here] if here is not None else []
    for tool, *words in found:
        if tool in ("pushd", "popd", "chroot"):
            return None
        if tool != "cd":
            continue
        word = expanded(waste, number, next((word for word in words if word[0] != "-"), "$"))
        if word is None or _SPECIAL.search(word) or not (places or word.startswith("/")):
            return None
        places += [posixpath.join(place, word) for place in places or ["/"]]
    return tuple(dict.fromkeys(map(posixpath.normpath, places)))


def paths_of(word: str) -> Iterator[str]:
    """The parts of a word that may be paths: of an option only what has a slash."""
    if "${" in _PLAIN_VARIABLE.sub("", word):
        yield "$"  # what it stands for may be anything
    for part in _PARTS.split(word):
        if part.startswith("-"):
            part = part[part.index("/") :] if "/" in part else ""
        if part and (part != "/" or ":" not in word):  # the root is what many an account lives in
            yield part


def _may_be(
    waste: Waste, number: int, word: str, places: Sequence[str] | None, paths: Collection[str]
) -> bool:
    known = expanded(waste, number, word)
    word = word if known is None else known
    special = _SPECIAL.search(word)
    if (special and special.start() == 0 and word[0] in "$~") or (places is None and word[0] != "/"):
        return True
    above = word[: special.start()] if special else word
    for place in places or ("/",):
        full = posixpath.join(place, above)
        plain = "/" + posixpath.normpath(full).strip("/")
        # Of a pattern only what stands in front of it is known, which may end within a name.
        start = plain if not special or plain == "/" else plain + "/" * full.endswith("/")
        for one in {start, real(waste, number, start)}:
            if any(_are_related(path, one, begins=bool(special)) for path in paths):
                return True
    return False


def _are_related(path: str, other: str, *, begins: bool) -> bool:
    """Whether a path is the other, or lies above or below it; or `begins` with it."""
    if begins and path.startswith(other):
        return True
    below = other.rstrip("/") + "/"
    return path.startswith(below) or (other.rstrip("/") + "/").startswith(path.rstrip("/") + "/")


def real(waste: Waste, number: int, path: str) -> str:
    """The path with the symbolic links followed that there are in the layers up to a step."""
    layer = max((step.layer for step in waste.script[: number + 1]), default=-1)
    parts = waste.image.parts[: layer + 1]
    left, found, links = path.split("/")[::-1], "", 0
    while left:
        name = left.pop()
        if name in ("", "."):
            continue
        found = found.rpartition("/")[0] if name == ".." else f"{found}/{name}"
        raw = found[1:].encode("utf-8", "surrogateescape")
        part = next((part.layer for part in reversed(parts) if raw in part.layer.written), None)
        if part is None or part.kinds[part.written[raw]] != SYMLINK or links == _MOST_LINKS:
            continue
        links += 1
        target = part.index.link(part.written[raw]).decode("utf-8", "surrogateescape")
        left += target.split("/")[::-1]
        found = "" if target.startswith("/") else found.rpartition("/")[0]
    return (found or "/") + "/" * (path != "/" and path.endswith("/"))
