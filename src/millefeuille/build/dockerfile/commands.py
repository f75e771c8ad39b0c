"""The instructions that hold a command: RUN, CMD, ENTRYPOINT, SHELL and HEALTHCHECK, read."""

from __future__ import annotations

import re

from millefeuille.build.dockerfile.arguments import json_array, json_or_text
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.durations import nanoseconds
from millefeuille.build.dockerfile.flags import Flags, Kind, read_flags
from millefeuille.build.dockerfile.instructions import Cmd, Entrypoint, Healthcheck, Run, Shell, ShellForm
from millefeuille.build.dockerfile.mount import check_mount
from millefeuille.build.dockerfile.request import Request
from millefeuille.build.dockerfile.suggestion import nearest
from millefeuille.build.dockerfile.words import SPACES
from millefeuille.oci.gotext import quoted

_RUN_FLAGS = {"mount": Kind.TEXTS, "network": Kind.TEXT, "security": Kind.TEXT}
_HEALTH_FLAGS = dict.fromkeys(("interval", "timeout", "start-period", "start-interval", "retries"), Kind.TEXT)
_NETWORKS = ("default", "none", "host")
_SECURITIES = ("sandbox", "insecure")
_SHORTEST = 1_000_000
_INTEGER = r"[+-]?[0-9]+"


def read_run(request: Request) -> Run:
    """RUN. Raises Complaint where its words break a rule."""
    flags = read_flags(request.flags, _RUN_FLAGS)
    command = json_or_text(request.rest)
    if command == () or request.rest == "":
        raise Complaint("RUN requires at least one argument")
    network = _one_of(flags.text("network"), _NETWORKS, "network mode")
    security = _one_of(flags.text("security"), _SECURITIES, "security")
    for mount in flags.texts("mount"):
        check_mount(mount, request.escape)
    return Run(
        **request.common(),
        command=command,
        mounts=flags.texts("mount"),
        network=network,
        security=security,
        heredocs=request.heredocs,
    )


def _one_of(value: str, allowed: tuple[str, ...], noun: str) -> str:
    if value and value not in allowed:
        meant = nearest(value, allowed, fold_case=True)
        raise Complaint(f"unsupported {noun} {quoted(value)}", suggestion=meant)
    return value


def read_cmd(request: Request) -> Cmd:
    """CMD. Raises Complaint where its words break a rule."""
    read_flags(request.flags, {})
    return Cmd(**request.common(), command=json_or_text(request.rest))


def read_entrypoint(request: Request) -> Entrypoint:
    """ENTRYPOINT. Raises Complaint where its words break a rule."""
    read_flags(request.flags, {})
    return Entrypoint(**request.common(), command=json_or_text(request.rest))


def read_shell(request: Request) -> Shell:
    """SHELL. Raises Complaint where its words break a rule."""
    read_flags(request.flags, {})
    argv = json_array(request.rest)
    if not request.rest or argv == ():
        raise Complaint("SHELL requires at least one argument")
    if argv is None:
        raise Complaint("SHELL requires the arguments to be in JSON form")
    return Shell(**request.common(), argv=argv)


def read_healthcheck(request: Request) -> Healthcheck:
    """HEALTHCHECK. Raises Complaint where its words break a rule."""
    if not request.rest:
        raise Complaint("HEALTHCHECK requires at least one argument")
    flags = read_flags(request.flags, _HEALTH_FLAGS)
    kind, rest = _first_word(request.rest)
    kind = kind.upper()
    if kind == "NONE":
        if rest:
            raise Complaint("HEALTHCHECK NONE takes no arguments")
        return Healthcheck(**request.common(), test=("NONE",))
    if kind != "CMD":
        raise Complaint(f"Unknown type {quoted(kind)} in HEALTHCHECK (try CMD)")
    command = json_or_text(rest)
    if not rest or command == ():
        raise Complaint("Missing command after HEALTHCHECK CMD")
    test = ("CMD-SHELL", command.text) if isinstance(command, ShellForm) else ("CMD", *command)
    return Healthcheck(
        **request.common(),
        test=test,
        interval=_duration(flags, "interval"),
        timeout=_duration(flags, "timeout"),
        start_period=_duration(flags, "start-period"),
        start_interval=_duration(flags, "start-interval"),
        retries=_retries(flags.text("retries")),
    )


def _first_word(text: str) -> tuple[str, str]:
    for index, char in enumerate(text):
        if char in SPACES:
            return text[:index], text[index:].lstrip(SPACES)
    return text, ""


def _duration(flags: Flags, name: str) -> int:
    text = flags.text(name)
    if not text:
        return 0
    length = nanoseconds(text)
    if length and length < _SHORTEST:
        raise Complaint(f"Interval {quoted(name)} cannot be less than 1ms")
    return length


def _retries(text: str) -> int:
    if not text:
        return 0
    if not re.fullmatch(_INTEGER, text):
        raise Complaint(f"strconv.ParseInt: parsing {quoted(text)}: invalid syntax")
    if len(text) > 12 or not -(2**31) <= int(text) < 2**31:
        raise Complaint(f"strconv.ParseInt: parsing {quoted(text[:64])}: value out of range")
    retries = int(text)
    if retries < 0:
        raise Complaint(f"--retries cannot be negative ({retries})")
    return retries
