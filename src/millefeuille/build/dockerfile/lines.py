"""The logical lines of a Dockerfile: physical lines joined where they continue, comments taken out."""

from __future__ import annotations

from millefeuille.annotations import NamedTuple
from millefeuille.build.dockerfile.complaint import Complaint
from millefeuille.build.dockerfile.directives import Directives
from millefeuille.build.dockerfile.heredoc import Heredoc
from millefeuille.build.dockerfile.heredocs import Opening
from millefeuille.build.dockerfile.words import SPACES, printable

_MARK = b"\xef\xbb\xbf"


class LogicalLine(NamedTuple):
    """An instruction's text without its here-documents; `first` and `last` are its lines, counted from 1.

    `gaps` says that an empty line stands where the line continues.
    """

    text: str
    first: int
    last: int
    comments: tuple[str, ...]
    gaps: bool


class LineReader:
    """Reads a file's logical lines one by one, and between them the bodies of here-documents."""

    def __init__(self, content: bytes) -> None:
        text = content.removeprefix(_MARK).decode("utf-8", "surrogateescape")
        self._lines = text.split("\n")
        self._at = 0
        self.directives = Directives()

    @property
    def line(self) -> int:
        """The number of lines read so far."""
        return self._at

    def next(self) -> LogicalLine | None:
        """The next logical line, None at the end of the file.

        Raises Complaint for a directive that is wrong.
        """
        comments: list[str] = []
        while self._at < len(self._lines):
            line = self._taken().lstrip(SPACES)
            directive = self.directives.take(line, self._at)
            if line.startswith("#"):
                comment = printable(line[1:].strip(SPACES))
                if directive or not comment:
                    comments = []
                else:
                    comments.append(comment)
                continue
            if not line:
                comments = []
                continue
            found = self._joined(line, tuple(comments))
            if found.text.strip(SPACES):
                return found
            comments = []
        return None

    def body(self, opening: Opening) -> Heredoc:
        """The here-document that begins at the next line. Raises Complaint where the file ends within it."""
        start = self._at
        for index in range(start, len(self._lines)):
            line = self._lines[index].rstrip("\r")
            if (line.lstrip("\t") if opening.chomp else line) == opening.name:
                self._at = index + 1
                content = "".join(line + "\n" for line in self._lines[start:index])
                return Heredoc(
                    name=opening.name,
                    content=content,
                    expand=opening.expand,
                    chomp=opening.chomp,
                    fd=opening.fd,
                )
        self._at = len(self._lines)
        raise Complaint("unterminated heredoc")

    def _taken(self) -> str:
        line = self._lines[self._at].rstrip("\r")
        self._at += 1
        return line

    def _joined(self, line: str, comments: tuple[str, ...]) -> LogicalLine:
        first = self._at
        escape = self.directives.escape
        text, goes_on = _continued(line, escape)
        parts = [text]
        gaps = False
        while goes_on and self._at < len(self._lines):
            line = self._taken()
            unspaced = line.lstrip(SPACES)
            if unspaced.startswith("#"):
                continue
            if not unspaced:
                # What follows the last newline is no line.
                gaps = gaps or self._at < len(self._lines)
                continue
            text, goes_on = _continued(line, escape)
            parts.append(text)
        last = self._at
        if last == len(self._lines) and last > first and not self._lines[-1]:
            last -= 1
        return LogicalLine("".join(parts), first, last, comments, gaps)


def _continued(line: str, escape: str) -> tuple[str, bool]:
    """A line without the escape character that ends it, and whether there was one: two in a row are none."""
    text = line.rstrip(" \t")
    if text.endswith(escape) and text[-2:-1] != escape:
        return text[:-1], True
    return line, False
