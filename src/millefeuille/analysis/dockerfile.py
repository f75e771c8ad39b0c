"""A Dockerfile made from an image's history: what each step was, as far as the history says.

What was copied is not in it: a source shows as the checksum or name that the builder wrote down. A command is
told behind the words of the shell that was in use, which SHELL changes; one that is a list shows as its words
with blanks between, and which of these stood in a word is not told.
Source: the classic builder's `created_by` (`/bin/sh -c #(nop) ...`, with the words of the shell in use, which
for SHELL itself is the new one), BuildKit's (`RUN ... # buildkit`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from millefeuille.analysis.image import Image
from millefeuille.analysis.oneline import is_line
from millefeuille.analysis.rewording import reworded
from millefeuille.analysis.runarguments import SHELLS, command, first_values, known_values
from millefeuille.annotations import Final
from millefeuille.oci.config import History

_NOP: Final = re.compile(r"(?:(.*?) )?#\(nop\)\s*(.*)", re.DOTALL)
_IN: Final = re.compile(r"((?:ADD|COPY)(?: --\S+)*) (.*?) in (\S.*?)\s*", re.DOTALL)
_BUILDKIT: Final = " # buildkit"
_SHELL: Final = "/bin/sh -c"
_WINDOWS_SHELL: Final = "cmd /S /C"
_NONE: Final[Mapping[str, Iterable[str]]] = MappingProxyType({})
_SUM: Final = re.compile(r"(?<=\S)((?:dir|file|multi):[0-9a-f]{64}\b)")
_WORDS: Final = (
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER",
    "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
)  # fmt: skip

UNREAD: Final = "# RUN |"
"""What a RUN begins with of which nothing says where its arguments end and its command begins."""


def dockerfile(image: Image) -> str:
    """The text, ending with a newline. Steps of a base that is known are one FROM."""
    config = image.config.process
    lines = [f"FROM {image.base_name}" if image.base_name else "FROM scratch"]
    if not image.base_name and config.get("Shell") and not _tells_shell(image):
        lines.append(f"SHELL {json.dumps(config['Shell'])}")
    steps = list(_told(image))
    for number, (_, text, _) in enumerate(steps):
        told = first_values(steps[number + 1 :]) if text.startswith("ARG ") else {}
        lines.append(reworded(text, config, told))
    # Not every builder writes these into the history.
    triggers = (_trigger(text) for text in config.get("OnBuild") or ())
    lines += [each for each in triggers if each not in lines]
    return "\n".join(map(_without_controls, lines)) + "\n"


def _trigger(text: str) -> str:
    return f"ONBUILD {text}" if is_line(text) else f"# ONBUILD {' '.join(text.split())}"


def _without_controls(text: str) -> str:
    """What a terminal may be given: a history may hold anything."""
    return "".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in text)


def instruction(step: History, shell: str = _SHELL, known: Mapping[str, Iterable[str]] = _NONE) -> str:
    """One step as an instruction; a comment where it is none, or where nothing says what it ran.

    `shell` is the one in use, words and blanks; `known` the values that ARGs may have.
    """
    text = step.created_by.strip()
    nop = _NOP.fullmatch(text)
    if nop and _is_shell(nop[1] or "", shell, nop[2]):
        return _known(_copied(nop[2].strip()), step)
    if text.endswith(_BUILDKIT):
        text = text.removesuffix(_BUILDKIT)
        word, _, rest = text.partition(" ")
        return _run(rest, shell, known) if word == "RUN" else _known(text, step)
    if text.partition(" ")[0] in _WORDS:
        return _run(text[4:], shell, known) if text.startswith("RUN ") else text
    if text.startswith(("|", f"{shell} ")) or SHELLS.match(text):
        return _run(text, shell, known)
    if nop and nop[2].partition(" ")[0] in _WORDS:  # behind a shell that nobody told of
        return _copied(nop[2].strip())
    return _known(text, step)


def _known(text: str, step: History) -> str:
    """An instruction as it is; what is none as a comment."""
    if text.partition(" ")[0] in _WORDS:
        return text
    return f"# {' '.join(text.split()) or ' '.join(step.comment.split()) or 'a step without words'}"


def _is_shell(words: str, shell: str, text: str) -> bool:
    """Whether the words in front of an instruction that ran nothing are a shell, and no part of a command."""
    known = ("", _SHELL, _WINDOWS_SHELL, shell, _set_shell(text.strip()))
    return words in known or SHELLS.fullmatch(f"{words} ") is not None


def own_instructions(image: Image) -> Iterator[tuple[History, str]]:
    """The steps behind those of the base image, each as an instruction."""
    for step, text, _ in _told(image):
        yield step, text


def _told(image: Image) -> Iterator[tuple[History, str, str]]:
    """The same with the shell in use."""
    steps = list(_in_shells(image))
    known, passed = known_values(steps), 0
    for number, (step, text, shell) in enumerate(steps):
        if number >= image.base_steps if image.base_steps else passed >= image.base:
            yield step, instruction(step, shell, known) if text.startswith(UNREAD) else text, shell
        passed += not step.empty_layer


def _in_shells(image: Image) -> Iterator[tuple[History, str, str]]:
    """All steps, each read by itself, and with the shell in use."""
    shell = _first_shell(image)
    for step in image.config.history:
        text = instruction(step, shell)
        yield step, text, shell
        shell = _set_shell(text) or shell


def _first_shell(image: Image) -> str:
    words = image.config.process.get("Shell")
    if words and not _tells_shell(image):
        return " ".join(words)
    return _WINDOWS_SHELL if image.config.platform.os == "windows" else _SHELL


def _tells_shell(image: Image) -> bool:
    return any(_set_shell(instruction(step)) for step in image.config.history)


def _set_shell(text: str) -> str:
    """The shell that an instruction sets; "" for any other than SHELL."""
    if not text.startswith("SHELL "):
        return ""
    try:
        words = json.loads(reworded(text, {}).removeprefix("SHELL "))
    except ValueError:
        return ""
    return " ".join(map(str, words)) if isinstance(words, list) else ""


def _copied(text: str) -> str:
    # Behind its flags the classic builder leaves no blank.
    match = _IN.fullmatch(_SUM.sub(r" \1", text) if text.startswith(("ADD --", "COPY --")) else text)
    if match and " " in match[3]:
        return f"{match[1]} {json.dumps([*match[2].split(), match[3]])}"
    return f"{match[1]} {match[2]} {match[3]}" if match else text


def _run(text: str, shell: str, known: Mapping[str, Iterable[str]]) -> str:
    told = command(text, shell, known)
    if told is None:
        return f"{UNREAD}{' '.join(text.split()).removeprefix('|')}"
    if told.startswith(f"{shell} "):
        return f"RUN {told.removeprefix(shell).strip()}"
    return f"RUN {SHELLS.sub('', told, count=1).strip() if SHELLS.match(told) else told.strip()}"
