"""A here-document: text that stands below an instruction instead of in a file of its own."""

from __future__ import annotations

from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Heredoc:
    """`<<NAME` and the lines up to NAME.

    `content` keeps the newlines it was written with, and with `chomp` (`<<-`) its leading tabs too: see
    `chomped`. `expand` is false where the delimiter was quoted. `fd` is the number before `<<`, 0 without
    one.
    """

    name: str
    content: str
    expand: bool = True
    chomp: bool = False
    fd: int = 0

    def chomped(self) -> str:
        """The content; where `chomp` is set, without the tabs that lead its lines."""
        if not self.chomp:
            return self.content
        return "\n".join(line.lstrip("\t") for line in self.content.split("\n"))
