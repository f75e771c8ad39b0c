"""A rule that a text breaks, before anybody said where the text stands."""

from __future__ import annotations

from millefeuille.errors import Invalid


class Complaint(Invalid):
    """What is wrong with an instruction.

    Whoever knows the file and the line makes a DockerfileError of it.
    """

    def __init__(self, message: str, *, suggestion: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion
