"""SOURCE_DATE_EPOCH as a build argument, and as the Dockerfile's own `ARG SOURCE_DATE_EPOCH=…` has it."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Final
from millefeuille.build.dockerfile.dockerfile import Dockerfile
from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.scope import global_scope
from millefeuille.errors import Invalid
from millefeuille.oci.moment import LATEST
from millefeuille.wholenumber import whole_number

NAME: Final = "SOURCE_DATE_EPOCH"


def argument_epoch(
    dockerfile: Dockerfile, build_args: Mapping[str, str], predefined: Mapping[str, str]
) -> int | None:
    """The time that all is to have, in seconds since 1970, None for none: the build argument, else what an
    ARG before the first FROM comes to, as BuildKit since its frontend 1.23.

    Raises Invalid for a build argument that is no such time, DockerfileError for an ARG.
    """
    if NAME in build_args:
        return _seconds(build_args[NAME])
    lines = [one for one in dockerfile.global_args if any(pair.name == NAME for pair in one.pairs)]
    if not lines:
        return None
    value = global_scope(dockerfile, build_args, predefined).variables.get(NAME, "")
    try:
        return _seconds(value)
    except Invalid as error:
        line = lines[-1].location.first
        raise DockerfileError(str(error), name=dockerfile.name, line=line) from None


def _seconds(text: str) -> int | None:
    if not text:
        return None
    seconds = whole_number(text)
    if seconds is None or seconds > LATEST:
        raise Invalid(f"invalid {NAME}: {text}")
    return seconds
