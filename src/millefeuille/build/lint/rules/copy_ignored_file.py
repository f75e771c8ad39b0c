"""COPY and ADD of what the ignore file leaves out."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable

from millefeuille.build.dockerfile.instructions import Add, Copy, Instruction
from millefeuille.build.lint.facts import Facts, Ignored
from millefeuille.build.lint.rule import Found, Rule
from millefeuille.oci.gotext import quoted

_ALL = ("*", "**", "**/*")
_REMOTE = re.compile(r"(?:https?|git|ssh)://|git@")


def _look(facts: Facts) -> Iterable[Found]:
    if facts.around.ignored is None:
        return
    for stage in facts.stages:
        for step in stage.steps:
            one = step.expanded
            for source in _local_sources(one):
                path = posixpath.normpath("/" + source).lstrip("/") or "."
                if one is not None and _left_out(facts.around.ignored, path):
                    word = "Add" if isinstance(one, Add) else "Copy"
                    message = f"Attempting to {word} file {quoted(path)} that is excluded by .dockerignore"
                    yield Found(message, one.location)


def _local_sources(one: Instruction | None) -> list[str]:
    if isinstance(one, Copy) and not one.from_:
        return [source for source in one.sources if isinstance(source, str)]
    if isinstance(one, Add):
        texts = [source for source in one.sources if isinstance(source, str)]
        return [text for text in texts if not _REMOTE.match(text)]
    return []


def _left_out(ignored: Ignored, path: str) -> bool:
    if path == ".":
        return any(pattern in _ALL for pattern in ignored.patterns)
    return ignored.leaves_out(path)


RULE = Rule(
    name="CopyIgnoredFile",
    page="copy-ignored-file",
    description="Attempting to Copy file that is excluded by .dockerignore",
    look=_look,
)
