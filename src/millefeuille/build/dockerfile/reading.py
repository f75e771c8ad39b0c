"""A logical line made an instruction."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from millefeuille.build.dockerfile.command import split_command
from millefeuille.build.dockerfile.commands import (
    read_cmd,
    read_entrypoint,
    read_healthcheck,
    read_run,
    read_shell,
)
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.flags import read_flags
from millefeuille.build.dockerfile.heredoc import Heredoc
from millefeuille.build.dockerfile.instructions import Instruction, Location, Onbuild
from millefeuille.build.dockerfile.request import Request
from millefeuille.build.dockerfile.settings import (
    read_env,
    read_expose,
    read_label,
    read_maintainer,
    read_stop_signal,
    read_user,
    read_volume,
    read_workdir,
)
from millefeuille.build.dockerfile.staging import read_arg, read_from
from millefeuille.build.dockerfile.suggestion import nearest
from millefeuille.build.dockerfile.transfers import read_add, read_copy
from millefeuille.build.dockerfile.words import SPACES

_READERS: Mapping[str, Callable[[Request], Instruction]] = {
    "ADD": read_add,
    "ARG": read_arg,
    "CMD": read_cmd,
    "COPY": read_copy,
    "ENTRYPOINT": read_entrypoint,
    "ENV": read_env,
    "EXPOSE": read_expose,
    "FROM": read_from,
    "HEALTHCHECK": read_healthcheck,
    "LABEL": read_label,
    "MAINTAINER": read_maintainer,
    "RUN": read_run,
    "SHELL": read_shell,
    "STOPSIGNAL": read_stop_signal,
    "USER": read_user,
    "VOLUME": read_volume,
    "WORKDIR": read_workdir,
}
_KEYWORDS = (*_READERS, "ONBUILD")


def read_instruction(
    text: str, location: Location, comments: tuple[str, ...], heredocs: tuple[Heredoc, ...], escape: str
) -> Instruction:
    """The instruction that a logical line holds. Raises Complaint for one that is unknown or wrong."""
    command = split_command(text, escape)
    request = Request(
        keyword=command.keyword,
        flags=command.flags,
        rest=command.rest,
        original=text.strip(SPACES),
        location=location,
        comments=comments,
        heredocs=heredocs,
        escape=escape,
    )
    if command.name == "ONBUILD":
        return _read_onbuild(request)
    read = _READERS.get(command.name)
    if read is None:
        meant = nearest(command.keyword, _KEYWORDS, fold_case=True)
        raise Complaint(f"unknown instruction: {command.keyword}", suggestion=meant)
    return read(request)


def _read_onbuild(request: Request) -> Onbuild:
    if not request.rest:
        raise Complaint("ONBUILD requires at least one argument")
    read_flags(request.flags, {})
    check_trigger(split_command(request.rest, request.escape).name)
    trigger = read_instruction(
        request.rest, request.location, request.comments, request.heredocs, request.escape
    )
    bodies = "".join(f"\n{heredoc.content}{heredoc.name}" for heredoc in request.heredocs)
    return Onbuild(**request.common(), text=request.rest + bodies, trigger=trigger)


def check_trigger(word: str) -> None:
    """Raises Complaint for an instruction, named in capitals, that may not stand behind ONBUILD."""
    if word == "ONBUILD":
        raise Complaint("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if word in ("FROM", "MAINTAINER"):
        raise Complaint(f"{word} isn't allowed as an ONBUILD trigger")
