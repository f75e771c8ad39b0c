"""The `config` member of an image's config, and what instructions make of it: mappings, never changed.

Source: OCI image-spec, config.md; Docker's additions (Healthcheck, OnBuild, Shell, ArgsEscaped).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.build.outputs.config import DEFAULT_PATH

Process = Mapping[str, Any]

SHELL: Final = ("/bin/sh", "-c")


def begun(process: Process, *, windows: bool = False) -> Process:
    """As a stage begins with it: without triggers, and with a PATH unless it is for Windows."""
    plain = without(process, "OnBuild")
    if windows or any(name == "PATH" for name, _ in environment(plain)):
        return plain
    name, _, value = DEFAULT_PATH.partition("=")
    return with_environment(plain, [(name, value)])


def environment(process: Process) -> list[tuple[str, str]]:
    """Its variables, in order."""
    value = process.get("Env")
    texts = [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
    return [(name, text) for name, _, text in (entry.partition("=") for entry in texts)]


def with_environment(process: Process, pairs: Iterable[tuple[str, str]]) -> Process:
    """With these variables: in their places where they were set before, else behind the others."""
    merged = dict(environment(process))
    merged.update(pairs)
    return {**process, "Env": [f"{name}={value}" for name, value in merged.items()]}


def with_labels(process: Process, pairs: Iterable[tuple[str, str]]) -> Process:
    """With these labels over its own."""
    return {**process, "Labels": {**_mapping(process, "Labels"), **dict(pairs)}}


def with_ports(process: Process, ports: Iterable[str]) -> Process:
    """With these ports exposed besides."""
    return {**process, "ExposedPorts": {**_mapping(process, "ExposedPorts"), **{port: {} for port in ports}}}


def with_volumes(process: Process, paths: Iterable[str]) -> Process:
    """With volumes at these paths besides."""
    return {**process, "Volumes": {**_mapping(process, "Volumes"), **{path: {} for path in paths}}}


def with_command(process: Process, command: Sequence[str], *, escaped: bool) -> Process:
    """With this command; `escaped` marks one in shell form, as Docker does."""
    kept = {name: value for name, value in process.items() if name != "ArgsEscaped"}
    return {**kept, "Cmd": list(command), **({"ArgsEscaped": True} if escaped else {})}


def with_entrypoint(process: Process, command: Sequence[str], *, keeps_command: bool) -> Process:
    """With this entrypoint. A command of the base image's is not its arguments, and goes."""
    gone = () if keeps_command else ("Cmd", "ArgsEscaped")
    kept = {name: value for name, value in process.items() if name not in gone}
    return {**kept, "Entrypoint": list(command)}


def with_trigger(process: Process, text: str) -> Process:
    """With one ONBUILD instruction more."""
    value = process.get("OnBuild")
    return {**process, "OnBuild": [*(value if isinstance(value, list) else ()), text]}


def without(process: Process, name: str) -> Process:
    """Without one member."""
    return {key: value for key, value in process.items() if key != name}


def shell(process: Process) -> tuple[str, ...]:
    """What shell forms are run by."""
    value = process.get("Shell")
    return tuple(map(str, value)) if isinstance(value, list) and value else SHELL


def directory(process: Process) -> str:
    """The working directory, absolute."""
    return joined("/", str(process.get("WorkingDir") or "/"))


def joined(directory: str, path: str) -> str:
    """A path from a directory on, cleaned; it never leads above the root."""
    text = posixpath.normpath(posixpath.join("/", directory, path))
    return "/" + text.lstrip("/")


def user(process: Process) -> str:
    """Whom commands run as, "" for root."""
    return str(process.get("User") or "")


def _mapping(process: Process, name: str) -> dict[str, Any]:
    value = process.get(name)
    return dict(value) if isinstance(value, dict) else {}
