"""What is wrong with a Dockerfile, and where."""

from __future__ import annotations

from millefeuille.errors import Invalid
from millefeuille.oci.gotext import quoted


class DockerfileError(Invalid):
    """A Dockerfile that breaks a rule.

    `str()` reads `Dockerfile:12: unknown instruction: RUNN (did you mean RUN?)`. `message` is the part after
    the place, without the suggestion; `line` counts from 1 and is 0 where no line is to blame.
    """

    def __init__(
        self, message: str, *, name: str = "Dockerfile", line: int = 0, suggestion: str = ""
    ) -> None:
        message = "".join(char if char.isprintable() else quoted(char)[1:-1] for char in message)
        place = f"{name}:{line}" if line else name
        wish = f" (did you mean {suggestion}?)" if suggestion else ""
        super().__init__(f"{place}: {message}{wish}")
        self.message = message
        self.name = name
        self.line = line
        self.suggestion = suggestion
