"""The instructions that change nothing but the image's config, read."""

from __future__ import annotations

from millefeuille.build.dockerfile.arguments import json_or_words, names_with_values
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.flags import read_flags
from millefeuille.build.dockerfile.instructions import (
    Env,
    Expose,
    Label,
    Maintainer,
    StopSignal,
    User,
    Volume,
    Workdir,
)
from millefeuille.build.dockerfile.ports import exposed
from millefeuille.build.dockerfile.request import Request
from millefeuille.build.dockerfile.signals import check_signal
from millefeuille.build.dockerfile.words import SPACES, split_blanks


def read_env(request: Request) -> Env:
    """ENV. Raises Complaint where its words break a rule."""
    read_flags(request.flags, {})
    pairs, legacy = names_with_values(request.rest, request.escape, "ENV")
    return Env(**request.common(), pairs=pairs, legacy=legacy)


def read_label(request: Request) -> Label:
    """LABEL. Raises Complaint where its words break a rule."""
    read_flags(request.flags, {})
    pairs, legacy = names_with_values(request.rest, request.escape, "LABEL")
    return Label(**request.common(), pairs=pairs, legacy=legacy)


def read_expose(request: Request) -> Expose:
    """EXPOSE. Raises Complaint where its words break a rule."""
    words = _some(request, split_blanks(request.rest) if request.rest else [])
    for word in words:
        if _fixed(request, word):
            exposed(word)
    return Expose(**request.common(), ports=tuple(sorted(words)))


def read_volume(request: Request) -> Volume:
    """VOLUME. Raises Complaint where its words break a rule."""
    volumes = tuple(word.strip(SPACES) for word in _some(request, list(json_or_words(request.rest))))
    if not all(volumes):
        raise Complaint("VOLUME specified can not be an empty string")
    return Volume(**request.common(), volumes=volumes)


def read_workdir(request: Request) -> Workdir:
    """WORKDIR. Raises Complaint where its words break a rule."""
    return Workdir(**request.common(), path=_one(request))


def read_user(request: Request) -> User:
    """USER. Raises Complaint where its words break a rule."""
    return User(**request.common(), user=_one(request))


def read_maintainer(request: Request) -> Maintainer:
    """MAINTAINER. Raises Complaint where its words break a rule."""
    return Maintainer(**request.common(), author=_one(request))


def read_stop_signal(request: Request) -> StopSignal:
    """STOPSIGNAL. Raises Complaint where its words break a rule."""
    signal = _one(request)
    if _fixed(request, signal):
        check_signal(signal)
    return StopSignal(**request.common(), signal=signal)


def _one(request: Request) -> str:
    if not request.rest:
        raise Complaint(f"{request.keyword.upper()} requires exactly one argument")
    read_flags(request.flags, {})
    return request.rest


def _some(request: Request, words: list[str]) -> list[str]:
    if not words:
        raise Complaint(f"{request.keyword.upper()} requires at least one argument")
    read_flags(request.flags, {})
    return words


def _fixed(request: Request, word: str) -> bool:
    """Whether a word says now what it will say after expansion."""
    return not any(char in word for char in ("$", "'", '"', request.escape))
