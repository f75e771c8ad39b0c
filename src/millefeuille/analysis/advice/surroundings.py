"""Surroundings: what an instruction meets when it is run: its directory, its user, its variables."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from millefeuille.analysis.advice.step import Step
from millefeuille.analysis.advice.waste import Waste
from millefeuille.annotations import Final

_VARIABLE: Final = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
_SHELL: Final = ("/bin/sh", "-c")
_KNOWN: Final = ("sh", "bash", "dash", "ash", "zsh", "ksh", "mksh")
_ROOT: Final = ("", "0", "root", "0:0", "root:root", "0:root", "root:0")


def absolute(waste: Waste, number: int, path: str) -> str | None:
    """A path of a step from the root on; None where that is not in the script."""
    directory = workdir(waste, number)
    plain = expanded(waste, number, path)
    if plain is None or (directory is None and not plain.startswith("/")):
        return None
    return "/" + posixpath.normpath(posixpath.join(directory or "/", plain)).strip("/")


def workdir(waste: Waste, number: int) -> str | None:
    """The working directory of a step; None where the script does not say."""
    directory: str | None = None
    if not any(step.word == "WORKDIR" for step in waste.script) and waste.script[0].word == "FROM":
        directory = str(waste.image.config.process.get("WorkingDir") or "/")  # that of the base, then
    for place, step in _stage(waste, number):
        if step.word == "WORKDIR":
            at = expanded(waste, place, step.body.strip("\"'"))
            known = at is not None and (directory is not None or at.startswith("/"))
            directory = posixpath.join(directory or "/", at) if known and at is not None else None
    return directory


def shell(waste: Waste, number: int) -> tuple[str, ...] | None:
    """The words of the shell that runs the commands of a step; None where the script does not say."""
    told = [step for _, step in _stage(waste, number) if step.word == "SHELL"]
    if told:
        return told[-1].operands
    if any(step.word == "SHELL" for step in waste.script):
        return None  # that of the base, of which the image does not tell any more
    return tuple(map(str, waste.image.config.process.get("Shell") or _SHELL))


def is_known(words: Sequence[str] | None) -> bool:
    """Whether the words of a shell are those of one that reads commands as `sh` does; None may be."""
    return not words or posixpath.basename(words[0]) in _KNOWN


def user(waste: Waste, number: int) -> str:
    """By whom a step is run, as far as the script and the image tell; "" for root."""
    users = [step.body for _, step in _stage(waste, number) if step.word == "USER"]
    if not users and not any(step.word == "USER" for step in waste.script):
        users = [str(waste.image.config.process.get("User") or "")]
    found = users[-1].strip("\"'") if users else ""
    return "" if found in _ROOT else found


def home(waste: Waste, number: int) -> str | None:
    """What `~` is for who runs a step, where that is plain; else None."""
    told = expanded(waste, number, "$HOME")
    name = user(waste, number).partition(":")[0]
    if told is None:
        pairs = waste.image.config.process.get("Env")
        words = [str(pair) for pair in pairs] if isinstance(pairs, list) else []
        told = next((word.partition("=")[2] for word in words if word.startswith("HOME=")), None)
    if told is not None:
        return told.rstrip("/") if told.startswith("/") else None
    if not name:
        return "/root"
    return f"/home/{name}" if re.fullmatch(r"[a-z_][\w-]*", name) else None


def expanded(waste: Waste, number: int, text: str) -> str | None:
    """The text with the variables of the script in it; None where one of them is not plain."""
    if "$" not in text:
        return text
    values = _variables(waste, number)
    names = [match[1] or match[2] for match in _VARIABLE.finditer(text)]
    if any(name not in values for name in names) or "$" in _VARIABLE.sub("", text):
        return None
    return _VARIABLE.sub(lambda match: values[match[1] or match[2]], text)


def _variables(waste: Waste, number: int) -> Mapping[str, str]:
    """What ENV and ARG set in front of a step. An argument may have been given another value: who uses this
    looks into the layers whether it holds.
    """
    found: dict[str, str] = {}
    for _, step in _stage(waste, number):
        if step.word == "ENV" and "=" not in step.body.split(None, 1)[0]:
            name, _, value = step.body.partition(" ")
            found[name] = value.strip()
        elif step.word in ("ENV", "ARG"):
            for word in _words(step.body):
                name, mark, value = word.partition("=")
                if mark and (step.word == "ENV" or name not in found):
                    found[name] = value
    return {name: value for name, value in found.items() if "$" not in value}


def _words(body: str) -> list[str]:
    try:
        return shlex.split(body)
    except ValueError:
        return []


def _stage(waste: Waste, number: int) -> Iterator[tuple[int, Step]]:
    """The steps of the same stage in front of a step, with their places."""
    begin = max((place for place in range(number) if waste.script[place].word == "FROM"), default=0)
    return ((place, waste.script[place]) for place in range(begin, number))
