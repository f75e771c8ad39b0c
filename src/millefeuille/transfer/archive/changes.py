"""Changes: Dockerfile instructions that set what an image does when it runs (`import -c`, `commit -c`)."""

from __future__ import annotations

import copy
import posixpath
from collections.abc import Callable, Iterable, Mapping

from millefeuille.annotations import Any, Final
from millefeuille.later import pattern, re
from millefeuille.plainjson import dumps
from millefeuille.transfer.archive.words import BadInstruction, expand, read_list, read_pairs, split_words

Process = dict[str, Any]

_SHELL: Final = ["/bin/sh", "-c"]
_PORT: Final = pattern(r"(?ai)(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?")
_FLAG: Final = pattern(r"--([a-z-]+)=(\S+)\s*")
_DURATION: Final = pattern(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_NANOSECONDS: Final = {
    "ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
}  # fmt: skip
_HEALTH_TIMES: Final = {
    "interval": "Interval", "timeout": "Timeout", "start-period": "StartPeriod",
    "start-interval": "StartInterval",
}  # fmt: skip


def apply_changes(changes: Iterable[str], before: Mapping[str, Any] | None = None) -> Process:
    """The `config` member of an image config after these instructions, which is as `before` without any.

    An ENTRYPOINT without a CMD before it takes away the command that was there. Raises BadInstruction.
    """
    process: Process = copy.deepcopy(dict(before or {}))
    seen = set()
    changes = list(changes)
    lines = list(_lines(changes))
    if changes and not lines:
        raise BadInstruction("file with no instructions")
    for line in lines:
        name, _, rest = line.partition(" ")
        rest = rest.strip()
        act = _INSTRUCTIONS.get(name.upper())
        if act is None:
            raise BadInstruction(f"{name} is not a valid change command")
        if not rest:
            raise BadInstruction(f"{name.upper()} requires at least one argument")
        act(process, rest)
        seen.add(name.upper())
        if "ENTRYPOINT" in seen and "CMD" not in seen:
            process.pop("Cmd", None)
    return process


def _lines(changes: Iterable[str]) -> Iterable[str]:
    text = re.sub(r"\\[ \t]*\n", "", "\n".join(changes))
    for line in text.replace("\t", " ").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def _member(process: Process, name: str, empty: Any) -> Any:
    """A list or mapping to add to; a container's configuration has null for one that is empty."""
    process[name] = process.get(name) or empty
    return process[name]


def _variables(process: Process) -> Mapping[str, str]:
    return dict(pair.partition("=")[::2] for pair in process.get("Env") or ())


def _command(member: str) -> Callable[[Process, str], None]:
    def act(process: Process, text: str) -> None:
        words = read_list(text)
        process[member] = words if words is not None else [*_SHELL, text]

    return act


def _env(process: Process, text: str) -> None:
    for name, value in read_pairs(text, "ENV", _variables(process)):
        pairs = {pair.partition("=")[0]: pair for pair in process.get("Env") or ()}
        process["Env"] = [*(pairs | {name: f"{name}={value}"}).values()]


def _label(process: Process, text: str) -> None:
    _member(process, "Labels", {}).update(read_pairs(text, "LABEL", _variables(process)))


def _expose(process: Process, text: str) -> None:
    for word in split_words(expand(text, _variables(process))):
        match = _PORT.fullmatch(word)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
        if match is None or not 0 < first <= last <= 65535:
            raise BadInstruction(f"Invalid containerPort: {word}")
        for port in range(first, last + 1):
            _member(process, "ExposedPorts", {})[f"{port}/{(match[3] or 'tcp').lower()}"] = {}


def _volume(process: Process, text: str) -> None:
    words = read_list(text)
    for word in words if words is not None else split_words(text):
        path = expand(word, _variables(process)).strip()
        if not path:
            raise BadInstruction("VOLUME specified can not be an empty string")
        _member(process, "Volumes", {})[path] = {}


def _workdir(process: Process, text: str) -> None:
    path = posixpath.join(process.get("WorkingDir") or "/", expand(text, _variables(process)))
    process["WorkingDir"] = posixpath.normpath(f"/{path.lstrip('/')}")


def _text(member: str) -> Callable[[Process, str], None]:
    def act(process: Process, text: str) -> None:
        process[member] = expand(text, _variables(process))

    return act


def _onbuild(process: Process, text: str) -> None:
    trigger = text.split()[0].upper()
    if trigger == "ONBUILD":
        raise BadInstruction("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if trigger in ("MAINTAINER", "FROM"):
        raise BadInstruction(f"{trigger} isn't allowed as an ONBUILD trigger")
    _member(process, "OnBuild", []).append(text)


def _healthcheck(process: Process, text: str) -> None:
    health: dict[str, Any] = {}
    while match := _FLAG.match(text):
        if match[1] == "retries" and match[2].isdecimal():
            health["Retries"] = int(match[2])
        elif match[1] in _HEALTH_TIMES:
            health[_HEALTH_TIMES[match[1]]] = _nanoseconds(match[2])
        else:
            raise BadInstruction(f"HEALTHCHECK: bad flag --{match[1]}={match[2]}")
        text = text[match.end() :]
    kind, _, command = text.partition(" ")
    if kind.upper() == "NONE" and not command and not health:
        process["Healthcheck"] = {"Test": ["NONE"]}
        return
    if kind.upper() != "CMD":
        raise BadInstruction(f"Unknown type {dumps(kind)} in HEALTHCHECK (try CMD)")
    if not command.strip():
        raise BadInstruction("Missing command after HEALTHCHECK CMD")
    words = read_list(command)
    test = ["CMD", *words] if words is not None else ["CMD-SHELL", command.strip()]
    process["Healthcheck"] = {"Test": test} | health


def _nanoseconds(text: str) -> int:
    parts = list(_DURATION.finditer(text))
    if not parts or sum(len(part[0]) for part in parts) != len(text):
        raise BadInstruction(f"time: invalid duration {dumps(text)}")
    return round(sum(float(part[1]) * _NANOSECONDS[part[2]] for part in parts))


_INSTRUCTIONS: Final[Mapping[str, Callable[[Process, str], None]]] = {
    "CMD": _command("Cmd"), "ENTRYPOINT": _command("Entrypoint"), "ENV": _env, "EXPOSE": _expose,
    "HEALTHCHECK": _healthcheck, "LABEL": _label, "ONBUILD": _onbuild, "STOPSIGNAL": _text("StopSignal"),
    "USER": _text("User"), "VOLUME": _volume, "WORKDIR": _workdir,
}  # fmt: skip
