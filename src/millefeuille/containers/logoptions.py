"""What `--log-opt` asks of the log of a container: how large it may grow, and what each line carries.

Names are checked when a container is made, and values when it is started, as Docker does.

Source: moby v28.2.2, daemon/logger/jsonfilelog, daemon/logger/loggerutils; go-units `FromHumanSize`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from millefeuille.annotations import Any, Final
from millefeuille.errors import Invalid
from millefeuille.later import re
from millefeuille.values import dataclass

_NAMES: Final = frozenset(
    "max-file max-size compress labels labels-regex env env-regex tag mode max-buffer-size".split()
)
_MODES: Final = ("", "blocking", "non-blocking")
_UNITS: Final = {unit: 1000**power for power, unit in enumerate(("", "k", "m", "g", "t", "p"))}


class InvalidLogOption(Invalid):
    """There is no such option, or not this value of it; the message is Docker's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """How a log is kept: a file ends at about `size` bytes (0: never), the newest `files` of them stay, and
    `attributes` stand in each line.
    """

    size: int = 0
    files: int = 1
    attributes: Mapping[str, str]


def check(host_config: Mapping[str, Any]) -> None:
    """Hold that there are options of these names. Raises InvalidLogOption."""
    driver, options = _asked(host_config)
    mode = options.get("mode") or ""
    if driver == "none":
        return
    if mode not in _MODES:
        raise InvalidLogOption(f"logger: logging mode not supported: {mode}")
    for name in sorted(options):
        if name not in _NAMES:
            raise InvalidLogOption(f"unknown log opt '{name}' for json-file log driver")


def settled(host_config: Mapping[str, Any], config: Mapping[str, Any]) -> LogOptions:
    """The options of a container with this configuration. Raises InvalidLogOption."""
    _, options = _asked(host_config)
    try:
        size = _size(options["max-size"]) if "max-size" in options else 0
        files = _number(options["max-file"]) if "max-file" in options else 1
        attributes = dict(_attributes(options, config))
    except InvalidLogOption as error:
        raise InvalidLogOption(f"failed to initialize logging driver: {error}") from error
    return LogOptions(size=size, files=files, attributes=attributes)


def _asked(host_config: Mapping[str, Any]) -> tuple[str, Mapping[str, str]]:
    asked = host_config.get("LogConfig") or {}
    return str(asked.get("Type") or ""), asked.get("Config") or {}


def _size(text: str) -> int:
    found = re.fullmatch(r"(?ai)(\d+(?:\.\d+)?) ?([kmgtp]?)i?b?", text)
    if not found:
        raise InvalidLogOption(f"invalid size: '{text}'")
    size = int(float(found[1]) * _UNITS[found[2].lower()])
    if size <= 0:
        raise InvalidLogOption("max-size must be a positive number")
    return size


def _number(text: str) -> int:
    if not re.fullmatch(r"(?a)[+-]?\d+", text):
        raise InvalidLogOption(f'strconv.Atoi: parsing "{text}": invalid syntax')
    if int(text) < 1:
        raise InvalidLogOption("max-file cannot be less than 1")
    return int(text)


def _attributes(options: Mapping[str, str], config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Labels and variables that are named, or match; a variable comes after a label of the same name."""
    variables = dict(pair.partition("=")[::2] for pair in config.get("Env") or ())
    for option, known in (("labels", config.get("Labels") or {}), ("env", variables)):
        for name in (options.get(option) or "").split(","):
            if name in known:
                yield name, known[name]
        pattern = options.get(f"{option}-regex")
        if pattern:
            try:
                wanted = re.compile(pattern)
            except re.error as error:
                raise InvalidLogOption(f"error parsing regexp: {error}: `{pattern}`") from None
            yield from ((name, value) for name, value in known.items() if wanted.search(name))
