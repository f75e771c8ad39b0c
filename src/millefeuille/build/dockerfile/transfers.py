"""COPY and ADD, read."""

from __future__ import annotations

import re

from millefeuille.annotations import NamedTuple
from millefeuille.build.dockerfile.arguments import json_array
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.flags import Flags, Kind, read_flags
from millefeuille.build.dockerfile.heredoc import Heredoc
from millefeuille.build.dockerfile.heredocs import opening
from millefeuille.build.dockerfile.instructions import Add, Copy, CopySource
from millefeuille.build.dockerfile.request import Request
from millefeuille.build.dockerfile.words import split_blanks

_BOTH = {"chown": Kind.TEXT, "chmod": Kind.TEXT, "link": Kind.SWITCH, "exclude": Kind.TEXTS}
_COPY_FLAGS = _BOTH | {"from": Kind.TEXT, "parents": Kind.SWITCH}
_ADD_FLAGS = _BOTH | {"checksum": Kind.TEXT, "keep-git-dir": Kind.SWITCH, "unpack": Kind.SWITCH}
_UNNAMED = "[0-9]*<<"


class _Common(NamedTuple):
    sources: tuple[CopySource, ...]
    destination: str
    flags: Flags


def read_copy(request: Request) -> Copy:
    """COPY. Raises Complaint where its words break a rule."""
    sources, destination, flags = _read(request, "COPY", _COPY_FLAGS)
    if "$" in flags.text("from"):
        raise Complaint(
            "variable expansion is not supported for --from,"
            " define a new stage with FROM using ARG from global scope as a workaround"
        )
    return Copy(
        **request.common(),
        sources=sources,
        destination=destination,
        chown=flags.text("chown"),
        chmod=flags.text("chmod"),
        link=flags.switch("link") is True,
        exclude=flags.texts("exclude"),
        from_=flags.text("from"),
        parents=flags.switch("parents") is True,
    )


def read_add(request: Request) -> Add:
    """ADD. Raises Complaint where its words break a rule."""
    sources, destination, flags = _read(request, "ADD", _ADD_FLAGS)
    return Add(
        **request.common(),
        sources=sources,
        destination=destination,
        chown=flags.text("chown"),
        chmod=flags.text("chmod"),
        link=flags.switch("link") is True,
        exclude=flags.texts("exclude"),
        checksum=flags.text("checksum"),
        unpack=flags.switch("unpack"),
        keep_git_dir=flags.switch("keep-git-dir"),
    )


def _read(request: Request, keyword: str, known: dict[str, Kind]) -> _Common:
    words = _words(request)
    if len(words) < 2:
        raise Complaint(
            f"{keyword} requires at least two arguments, but only one was provided."
            " Destination could not be determined"
        )
    flags = read_flags(request.flags, known)
    bodies: dict[str, list[Heredoc]] = {}
    for body in request.heredocs:
        bodies.setdefault(body.name, []).append(body)
    if bodies and _named(words[-1]):
        raise Complaint(f"{keyword} cannot accept a heredoc as a destination")
    sources = tuple(_source(word, bodies) for word in words[:-1])
    return _Common(sources, words[-1], flags)


def _words(request: Request) -> tuple[str, ...]:
    values = json_array(request.rest) if request.rest else ()
    if values is not None:
        return values
    words: list[str] = []
    for word in split_blanks(request.rest):
        # A delimiter may stand apart from its `<<`.
        if request.heredocs and words and re.fullmatch(_UNNAMED, words[-1]):
            words[-1] += word
        else:
            words.append(word)
    return tuple(words)


def _named(word: str) -> str:
    """The name of the here-document that a word opens; empty where it opens none."""
    try:
        found = opening(word)
    except Complaint:
        return ""
    return "" if found is None else found.name


def _source(word: str, bodies: dict[str, list[Heredoc]]) -> CopySource:
    found = bodies.get(_named(word)) if bodies else None
    if not found:
        return word
    # Two of one name: the last one's text for both, as BuildKit has it.
    return found[-1]
