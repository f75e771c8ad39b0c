"""Texts with a small grammar of their own: restart policies, limits of a process, health, security."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.docker.creation.error import InvalidOption
from millefeuille.later import json, re
from millefeuille.oci.gotext import quoted

_ULIMITS: Final = frozenset((
    "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss",
    "rtprio", "rttime", "sigpending", "stack",
))  # fmt: skip
_LARGEST: Final = 1 << 63
_DIGITS: Final = 999  # of a number that is worth reading
_SYSTEM_PATHS: Final = "systempaths=unconfined"


def restart_policy(text: str) -> dict[str, Any]:
    """The member RestartPolicy. Raises InvalidOption."""
    name, colon, count = text.partition(":")
    if colon and not name:
        raise InvalidOption("invalid restart policy format: no policy provided before colon")
    try:
        return {"Name": name, "MaximumRetryCount": _integer(count or "0")}
    except InvalidOption:
        text = "invalid restart policy format: maximum retry count must be an integer"
        raise InvalidOption(text) from None


def ulimit(text: str) -> dict[str, Any]:
    """A member of Ulimits. Raises InvalidOption."""
    name, equals, values = text.partition("=")
    if not equals:
        raise InvalidOption(f"invalid ulimit argument: {text}")
    if name not in _ULIMITS:
        raise InvalidOption(f"invalid ulimit type: {name}")
    limits = values.split(":")
    if len(limits) > 2:
        raise InvalidOption(
            f"too many limit value arguments - {values}, can only have up to two, `soft[:hard]`"
        )
    numbers = [_integer(limit) for limit in limits]
    soft, hard = numbers[0], numbers[-1]
    if hard != -1 and soft == -1:
        told = f"soft: -1 (unlimited), hard: {hard}"
        raise InvalidOption(f"ulimit soft limit must be less than or equal to hard limit: {told}")
    if hard != -1 and soft > hard:
        raise InvalidOption(f"ulimit soft limit must be less than or equal to hard limit: {soft} > {hard}")
    return {"Name": name, "Hard": hard, "Soft": soft}


def capabilities(names: Iterable[str]) -> list[str] | None:
    """CapAdd or CapDrop: the names in full, sorted, each once; None for none."""
    found = {_capability(name) for name in names}
    return sorted(found) or None


def security(
    options: Sequence[str], read: Callable[[str], str]
) -> tuple[list[str] | None, list[str] | None, list[str] | None]:
    """SecurityOpt, MaskedPaths and ReadonlyPaths. `read` reads a seccomp profile. Raises InvalidOption."""
    found = [_security_option(option, read) for option in options]
    kept = [option for option in found if option != _SYSTEM_PATHS]
    unconfined = len(kept) < len(found)
    return kept if found else None, [] if unconfined else None, [] if unconfined else None


def storage(options: Iterable[str]) -> dict[str, str]:
    """StorageOpt. Raises InvalidOption."""
    found: dict[str, str] = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals:
            raise InvalidOption("invalid storage option")
        found[name] = value
    return dict(sorted(found.items()))


def _capability(name: str) -> str:
    upper = name.upper()
    return upper if upper == "ALL" or upper.startswith("CAP_") else f"CAP_{upper}"


def _security_option(option: str, read: Callable[[str], str]) -> str:
    name, sign, value = option.partition("=")
    if not sign and name != "no-new-privileges":
        name, sign, value = option.partition(":")
        if not sign:
            raise InvalidOption(f"Invalid --security-opt: {quoted(option)}")
    if name != "seccomp" or value in ("unconfined", "builtin"):
        return option
    return f"seccomp={_compact(value, read)}"


def _compact(path: str, read: Callable[[str], str]) -> str:
    try:
        text = read(path)
    except OSError as error:
        said = (error.strerror or "").lower()
        raise InvalidOption(f"opening seccomp profile ({path}) failed: open {path}: {said}") from None
    try:
        return json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)
    except ValueError as error:
        said = "unexpected end of JSON input" if _is_cut_off(text, error) else str(error)
        raise InvalidOption(f"compacting json for seccomp profile ({path}) failed: {said}") from None


def _is_cut_off(text: str, error: ValueError) -> bool:
    return isinstance(error, json.JSONDecodeError) and error.pos >= len(text.rstrip())


def _integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII):
        raise InvalidOption(f"strconv.ParseInt: parsing {quoted(text)}: invalid syntax")
    number = int(text) if len(text) <= _DIGITS else _LARGEST
    if not -_LARGEST <= number < _LARGEST:
        raise InvalidOption(f"strconv.ParseInt: parsing {quoted(text)}: value out of range")
    return number
