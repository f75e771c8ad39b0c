"""An instruction whose words are known and whose meaning is not yet."""

from __future__ import annotations

from typing import TypedDict

from millefeuille.build.dockerfile.heredoc import Heredoc
from millefeuille.build.dockerfile.instructions import Location
from millefeuille.values import dataclass


class Common(TypedDict):
    """What every instruction carries."""

    location: Location
    original: str
    keyword: str
    comments: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The parts of a logical line, as `command.split_command` gives them, and what stands around it."""

    keyword: str
    flags: tuple[str, ...]
    rest: str
    original: str
    location: Location
    comments: tuple[str, ...]
    heredocs: tuple[Heredoc, ...]
    escape: str

    def common(self) -> Common:
        """The fields that the instruction has in common with all others."""
        return Common(
            location=self.location, original=self.original, keyword=self.keyword, comments=self.comments
        )
