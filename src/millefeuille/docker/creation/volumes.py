"""`--volume` and `--tmpfs`."""

from __future__ import annotations

import os
from collections.abc import Iterable

from millefeuille.docker.creation.error import InvalidOption


def divided(
    options: Iterable[str], directory: str = ""
) -> tuple[list[str] | None, dict[str, dict[str, str]]]:
    """The members Binds and Volumes: those with a source, and the anonymous ones.

    A source that begins with a dot lies below `directory`, "" for the current one. Raises InvalidOption, and
    OSError where that is needed and gone.
    """
    binds: list[str] = []
    volumes: dict[str, dict[str, str]] = {}
    for option in dict.fromkeys(options):
        source = _source(option)
        if not source:
            volumes[option] = {}
        elif source.startswith("."):
            host, _, rest = option.partition(":")
            binds.append(f"{os.path.normpath(os.path.join(directory or os.getcwd(), host))}:{rest}")
        else:
            binds.append(option)
    return binds or None, dict(sorted(volumes.items()))


def tmpfs(options: Iterable[str]) -> dict[str, str]:
    """The member Tmpfs: mount options by target."""
    pairs = (option.partition(":") for option in options)
    return dict(sorted({target: rest for target, _, rest in pairs}.items()))


def _source(spec: str) -> str:
    """What the volume comes from, "" for an anonymous one. A letter with a colon is a drive of Windows."""
    if not spec:
        raise InvalidOption("invalid empty volume spec")
    if len(spec) <= 2:
        return ""
    sections = _sections(spec)
    if not all(sections):
        raise InvalidOption(f"invalid spec: {spec}: empty section between colons")
    if len(sections) > 3:
        raise InvalidOption(f"invalid spec: {spec}: too many colons")
    return sections[0] if len(sections) > 1 else ""


def _sections(spec: str) -> list[str]:
    sections = [""]
    for character in spec:
        if character != ":" or (len(sections[-1]) == 1 and sections[-1].isalpha()):
            sections[-1] += character
        else:
            sections.append("")
    return sections
