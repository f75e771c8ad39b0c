"""A Dockerfile made from an image's history: what each step was, as far as the history says.

What was copied is not in it: a source shows as the checksum or name that the builder wrote down.
Source: the classic builder's `created_by` (`/bin/sh -c #(nop) ...`), BuildKit's (`RUN ... # buildkit`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from millefeuille.analysis.image import Image
from millefeuille.analysis.rewording import reworded
from millefeuille.annotations import Final
from millefeuille.oci.config import History

_NOP: Final = re.compile(r"(?:/bin/sh -c |cmd /S /C )?#\(nop\)\s*(.*)", re.DOTALL)
_ARGUMENTS: Final = re.compile(r"\|(\d+) (.*)", re.DOTALL)
_IN: Final = re.compile(r"(ADD|COPY) (.*) in (\S+)\s*", re.DOTALL)
_BUILDKIT: Final = " # buildkit"
# As SHELL sets them.
_SHELLS: Final = re.compile(r"/(?:usr/)?bin/(?:ba|da|a|z|k)?sh (?:-\w+ |pipefail )*-\w*c ")
_SUM: Final = re.compile(r"(?<=\S)((?:dir|file|multi):[0-9a-f]{64}\b)")
_WORDS: Final = (
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "MAINTAINER",
    "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
)  # fmt: skip


def dockerfile(image: Image) -> str:
    """The text, ending with a newline. Steps of a base that is known are one FROM."""
    lines = [f"FROM {image.base_name}" if image.base_name else "FROM scratch"]
    config = image.config.fields.get("config")
    config = config if isinstance(config, dict) else {}
    lines += (_without_controls(reworded(instruction(step), config)) for step in own_steps(image))
    return "\n".join(lines) + "\n"


def _without_controls(text: str) -> str:
    """What a terminal may be given: a history may hold anything."""
    return "".join(each if each.isprintable() or each in "\n\t" else "\ufffd" for each in text)


def instruction(step: History) -> str:
    """One step as an instruction; a comment where it is none."""
    text = step.created_by.strip()
    nop = _NOP.fullmatch(text)
    if nop:
        return _copied(nop[1].strip())
    if text.endswith(_BUILDKIT):
        text = text.removesuffix(_BUILDKIT)
        word, _, rest = text.partition(" ")
        return _run(rest) if word == "RUN" else text
    if text.partition(" ")[0] in _WORDS:
        return _run(text[4:]) if text.startswith("RUN ") else text
    if text.startswith("|") or _SHELLS.match(text):
        return _run(text)
    return f"# {' '.join(text.split()) or step.comment or 'a step without words'}"


def own_steps(image: Image) -> Iterator[History]:
    """The steps behind those of the base image."""
    if image.base_steps:
        yield from image.config.history[image.base_steps :]
        return
    passed = 0
    for step in image.config.history:
        if passed >= image.base:
            yield step
        passed += not step.empty_layer


def _copied(text: str) -> str:
    # Behind its flags the classic builder leaves no blank.
    match = _IN.fullmatch(_SUM.sub(r" \1", text) if text.startswith(("ADD --", "COPY --")) else text)
    return f"{match[1]} {match[2]} {match[3]}" if match else text


def _run(text: str) -> str:
    arguments = _ARGUMENTS.fullmatch(text)
    if arguments:
        # Values may have blanks in them, so the command is looked for, not counted to.
        shell = _SHELLS.search(arguments[2])
        text = arguments[2][shell.start() :] if shell else arguments[2]
    return f"RUN {_SHELLS.sub('', text, count=1).strip() if _SHELLS.match(text) else text.strip()}"
