"""The directives at the head of a Dockerfile: `# syntax=`, `# escape=` and `# check=`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from millefeuille.annotations import NamedTuple
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.words import SPACES, printable

_DIRECTIVE = re.compile(r"([A-Za-z][A-Za-z0-9]*)[\t\n\f\r ]*=(.*)", re.DOTALL)
_KNOWN = ("syntax", "escape", "check")
_OURS = r"(?:(?:index\.)?docker\.io/)?docker/dockerfile[^/]*"
_BUILT_IN = "dockerfile.v0"


class Directive(NamedTuple):
    """A directive's value, and the line it stands in."""

    value: str
    line: int


class Directives:
    """Takes lines from the top of a file until one is no directive."""

    def __init__(self) -> None:
        self.escape = "\\"
        self.found: dict[str, Directive] = {}
        self._open = True

    def take(self, line: str, number: int) -> bool:
        """Whether a line (without the white space before it) is a directive.

        Raises Complaint for one that is repeated, and for an escape character other than a backslash and
        a backtick.
        """
        if not self._open:
            return False
        read = _read(line, "#")
        if read is None:
            self._open = False
            return False
        key, value = read[0], printable(read[1])
        if key in self.found:
            raise Complaint(f"only one {key} parser directive can be used")
        self.found[key] = Directive(value, number)
        if key == "escape":
            if value not in ("\\", "`"):
                raise Complaint(f"invalid escape token '{value}' does not match ` or \\")
            self.escape = value
        return True

    def close(self) -> None:
        """Ends the head of the file: what follows is no directive."""
        self._open = False

    def get(self, key: str) -> Directive:
        """The directive of that name; without one, an empty value in line 0."""
        return self.found.get(key, Directive("", 0))


def _read(line: str, comment: str) -> tuple[str, str] | None:
    if not line.startswith(comment):
        return None
    found = _DIRECTIVE.fullmatch(line[len(comment) :].lstrip(SPACES))
    if found is None:
        return None
    key, value = found[1].lower(), found[2].strip("\t\n\f\r ")
    return (key, value) if key in _KNOWN and value else None


def check_syntax(text: str, chosen: str) -> None:
    """Holds that the frontend a file asks for is the one that this package is.

    `chosen` is the build argument BUILDKIT_SYNTAX, empty without one; it wins over the file. Raises
    Complaint that names any other frontend; its line, counted from 1, is in `SyntaxComplaint.line`.
    """
    value, line = (chosen, 0) if chosen else _detected(text)
    name = value.split(" ", 1)[0]
    if name and name != _BUILT_IN and not re.fullmatch(_OURS, name):
        raise SyntaxComplaint(name, line)


class SyntaxComplaint(Complaint):
    """A Dockerfile asks for a frontend that is not ours."""

    def __init__(self, name: str, line: int) -> None:
        super().__init__(
            f"the frontend {name} is not supported: this builder reads the language of docker/dockerfile"
        )
        self.line = line


def _detected(text: str) -> tuple[str, int]:
    """The frontend that a file asks for.

    In any of the forms BuildKit looks for, and the line it does so in.
    """
    skipped = 0
    if text.startswith("#!"):
        text = text.partition("\n")[2]
        skipped = 1
    for comment in ("#", "//"):
        for number, line in enumerate(_lines(text), skipped + 1):
            read = _read(line.rstrip("\r"), comment)
            if read is None:
                break
            if read[0] == "syntax":
                return read[1], number
    return _detected_json(text), skipped + 1


def _lines(text: str) -> Iterable[str]:
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield text[start:end]
        start = end + 1


def _detected_json(text: str) -> str:
    if not text.lstrip("\t\n\r ").startswith("{"):
        return ""
    try:
        value = json.loads(text, parse_int=len, parse_float=len)
    except (ValueError, RecursionError):
        return ""
    syntax = value.get("syntax")
    return syntax if isinstance(syntax, str) else ""
