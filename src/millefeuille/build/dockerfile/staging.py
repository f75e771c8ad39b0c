"""FROM and ARG, read."""

from __future__ import annotations

import re

from millefeuille.build.dockerfile.arguments import declared_names
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.flags import Kind, read_flags
from millefeuille.build.dockerfile.instructions import Arg, From
from millefeuille.build.dockerfile.request import Request
from millefeuille.build.dockerfile.words import split_blanks
from millefeuille.oci.gotext import quoted

_STAGE_NAME = "[a-z][a-z0-9-_.]*"


def read_from(request: Request) -> From:
    """FROM. Raises Complaint where its words break a rule."""
    words = split_blanks(request.rest) if request.rest else []
    name = _stage_name(words)
    flags = read_flags(request.flags, {"platform": Kind.TEXT})
    return From(
        **request.common(),
        image=words[0],
        platform=flags.text("platform"),
        name=name,
        as_keyword=words[1] if name else "",
        name_as_written=words[2] if name else "",
    )


def _stage_name(words: list[str]) -> str | None:
    if len(words) == 3 and words[1].lower() == "as":
        name = words[2].lower()
        if not re.fullmatch(_STAGE_NAME, name):
            raise Complaint(
                f"invalid name for build stage: {quoted(words[2])},"
                " name can't start with a number or contain symbols"
            )
        return name
    if len(words) != 1:
        raise Complaint("FROM requires either one or three arguments")
    return None


def read_arg(request: Request) -> Arg:
    """ARG. Raises Complaint where its words break a rule."""
    read_flags(request.flags, {})
    return Arg(**request.common(), pairs=declared_names(request.rest, request.escape, request.comments))
