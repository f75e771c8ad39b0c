"""Unseen: whether owners and modes that a COPY gave to files went anywhere before a RUN changed them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection

from millefeuille.analysis.advice import shell
from millefeuille.analysis.advice.reach import rows
from millefeuille.analysis.advice.step import Step
from millefeuille.analysis.advice.surroundings import user
from millefeuille.analysis.advice.waste import Waste
from millefeuille.annotations import Final
from millefeuille.layers.entry import FILE, HARDLINK

# What tells of owners and modes, or keeps them in a file of its own.
_READING: Final = frozenset(("ls", "stat", "cpio", "rsync", "zip", "getfacl", "namei"))
_FINDING: Final = re.compile(
    r"-(?:perm|user|group|uid|gid|nouser|nogroup|ls|printf|executable|readable|writable)"
)
_TIMING: Final = frozenset(("stat", "cpio", "rsync", "zip"))
_PACKING: Final = re.compile(r"-?[a-zA-Z]*[cru][a-zA-Z]*|--(?:create|append|update|concatenate)")  # with tar
_LONG: Final = re.compile(r"-\w*[lt]\w*")
_NEWER: Final = re.compile(r"-(?:[acm]?newer\w*|[acm](?:time|min)|nt|ot|ls|printf)")
_WORD: Final = re.compile(r"[^\s;&|()`{}<>\"']+")
_CHANGING_USER: Final = frozenset(("su", "sudo", "doas", "gosu", "su-exec", "setpriv", "runuser"))


def are_unseen(waste: Waste, writer: int, killer: int, changing: Collection[str]) -> bool:
    """Whether nothing between the layer of a COPY and the commands `changing` of a later RUN may come out in
    another way when the COPY does what they do.
    """
    first, second = waste.own[writer], waste.own[killer]
    before = _before(waste.script[second], changing)
    between = waste.script[first + 1 : second]
    texts = [step.script or step.body for step in between if step.word == "RUN"]
    texts += [before] if before else []
    if any(map(_reads, texts)):
        return False
    if texts and any(user(waste, n) for n in range(first + 1, second + bool(before))):
        return False
    last = killer if before else killer - 1
    return not any(_is_copied(waste, writer, layer) for layer in range(writer + 1, last + 1))


def tells_times(step: Step) -> bool:
    """Whether a RUN may put times of files into others, which are new for what it copies itself."""
    text = step.script or step.body
    words = _WORD.findall(text)
    tools = set(map(posixpath.basename, words))
    is_long = "ls" in tools and any(map(_LONG.fullmatch, words))
    return is_long or _packs(text) or bool(tools & _TIMING) or any(map(_NEWER.fullmatch, words))


def _before(step: Step, changing: Collection[str]) -> str:
    """What a RUN does before the last of its commands that change something."""
    row = shell.commands(step.body) or ()
    last = max((place for place, text in enumerate(row) if text in changing), default=0)
    return "\n".join(text for text in row[:last] if text not in changing)


def _reads(text: str) -> bool:
    words = _WORD.findall(text)
    tools = set(map(posixpath.basename, words))
    is_told = _packs(text) or any(map(_FINDING.fullmatch, words))
    return is_told or bool(tools & (_READING | _CHANGING_USER))


def _packs(text: str) -> bool:
    """Whether an archive is written, with owners, modes and times."""
    for row in rows(text):
        tools = [posixpath.basename(word) for word in row]
        if "tar" in tools or "bsdtar" in tools:
            behind = row[tools.index("tar" if "tar" in tools else "bsdtar") + 1 :]
            # The first word is one of options, with a dash or without.
            options = [*behind[:1], *(word for word in behind[1:] if word.startswith("-"))]
            if any(map(_PACKING.fullmatch, options)):
                return True
    return False


def _is_copied(waste: Waste, writer: int, number: int) -> bool:
    """Whether a RUN put a file of the COPY, as it is, elsewhere: `cp` takes the mode along."""
    if number not in waste.own or waste.step(number).word != "RUN":
        return False
    lower, upper = waste.image.parts[writer].layer, waste.image.parts[number].layer
    files = enumerate(zip(lower.kinds, lower.sizes, strict=True))
    brought = {lower.index.content(n) for n, (kind, size) in files if kind == FILE and size}
    return any(
        kind == HARDLINK or (kind == FILE and upper.index.content(n) in brought)
        for n, kind in enumerate(upper.kinds) if upper.paths[n] not in lower.written
    )  # fmt: skip
