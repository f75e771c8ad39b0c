"""Step: one instruction of a Dockerfile, or of a history that stands for one, and the layer it made."""

from __future__ import annotations

import contextlib
import json
import re
import shlex

from millefeuille.analysis.advice.shell import commented, joinable
from millefeuille.annotations import Final
from millefeuille.values import dataclass

NO_LAYER: Final = -1
_FLAG: Final = re.compile(r"(--[a-z-]+(?:=(?:\"[^\"]*\"|'[^']*'|\S)*)?)\s+")
_ENDS: Final = ("EOF", "END", "STOP", "END_OF_RUN")  # of a here-document
_SHORT: Final = 72  # characters of an instruction that a sentence quotes


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An instruction: `word` in capitals, its flags, and the rest.

    `first` and `last` are its lines in the Dockerfile, 0 where there is none; `layer` is the number of the
    layer it made, NO_LAYER for none. `fixed` for one that is not to be written in another way, since it has
    a here-document or is in the form of a list. `script` is what a RUN has in a here-document and nowhere
    else, for the shell.
    """

    word: str
    flags: tuple[str, ...] = ()
    body: str = ""
    first: int = 0
    last: int = 0
    layer: int = NO_LAYER
    fixed: bool = False
    script: str = ""

    @property
    def text(self) -> str:
        """The instruction on one line, as far as it has one."""
        if self.script:
            end = next((word for word in _ENDS if word not in self.script.split()), _ENDS[-1])
            return " ".join((self.word, *self.flags, f"<<{end}\n{self.script}\n{end}"))
        return " ".join((self.word, *self.flags, self.body)).strip()

    @property
    def command(self) -> str | None:
        """What a RUN gives to the shell; None where that is not to be written in another way."""
        if self.script:
            return f"(\n{self.script}\n)"
        if self.body.startswith("["):
            with contextlib.suppress(ValueError):
                found = json.loads(self.body)
                if found and all(isinstance(word, str) for word in found):
                    return shlex.join(found)
        if self.fixed or not joinable(self.body):
            return None
        return f"(\n{self.body}\n)" if commented(self.body) else self.body

    @property
    def shown(self) -> str:
        """The instruction for a sentence, with its line where that is known."""
        text = " ".join(self.text.split())
        short = text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
        return f"line {self.first}: {short}" if self.first else short

    @property
    def copies(self) -> bool:
        """Whether it copies files of the context."""
        return self.word in ("COPY", "ADD") and not any(flag.startswith("--from=") for flag in self.flags)

    @property
    def operands(self) -> tuple[str, ...]:
        """The words behind the flags: of a COPY its sources, then where they go."""
        if self.body.startswith("["):
            with contextlib.suppress(ValueError):
                return tuple(map(str, json.loads(self.body)))
        return tuple(self.body.split())


def read_step(
    text: str, *, first: int = 0, last: int = 0, layer: int = NO_LAYER, fixed: bool = False, script: str = ""
) -> Step:
    """The step that one logical line is."""
    word, _, rest = text.strip().partition(" ")
    word, rest, flags = word.upper(), rest.strip(), []
    while word in ("RUN", "COPY", "ADD") and (match := _FLAG.match(rest)):
        flags.append(match[1])
        rest = rest[match.end() :]
    return Step(
        word=word, flags=tuple(flags), body=rest, first=first, last=last, layer=layer,
        fixed=fixed or (word in ("RUN", "COPY", "ADD") and rest.startswith("[")), script=script,
    )  # fmt: skip
