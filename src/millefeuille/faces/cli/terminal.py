"""The three standard streams of a command."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator

from millefeuille.annotations import BinaryIO, Final, TextIO
from millefeuille.errors import Failed
from millefeuille.later import Later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.faces.cli import escaped
else:
    escaped = Later("millefeuille.faces.cli.escaped")  # most commands have nothing to complain of

DEFAULT_WIDTH: Final = 80


class ReaderGone(Exception):
    """Whoever read our standard output has closed it; nobody is left to tell."""


class Terminal:
    """Where a command reads and writes. Texts go out as UTF-8, whatever the locale."""

    def __init__(self, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self._failed = False
        for stream in (stdout, stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(encoding="utf-8", errors="surrogateescape")

    @property
    def binary(self) -> BinaryIO:
        """Standard output for bytes; texts written before come first."""
        self.flush()
        return self.stdout.buffer

    @property
    def binary_input(self) -> BinaryIO:
        """Standard input for bytes."""
        return self.stdin.buffer

    @property
    def interactive(self) -> bool:
        """Whether standard output is a terminal."""
        return self.stdout.isatty()

    @property
    def input_interactive(self) -> bool:
        """Whether standard input is a terminal."""
        return self.stdin.isatty()

    @property
    def width(self) -> int:
        """Columns, as Docker measures them: those of standard input's terminal, else 80."""
        try:
            return os.get_terminal_size(self.stdin.fileno()).columns or DEFAULT_WIDTH
        except (OSError, ValueError):
            return DEFAULT_WIDTH

    def write(self, text: str) -> None:
        """Put `text` on standard output as it is. Raises ReaderGone, Failed."""
        with self._writing():
            self.stdout.write(text)

    def line(self, text: str = "") -> None:
        """Put `text` and a line's end on standard output."""
        self.write(f"{text}\n")

    def write_bytes(self, data: bytes | memoryview) -> None:
        """Put bytes on standard output, behind the texts written before. Raises ReaderGone, Failed."""
        with self._writing():
            self.binary.write(data)

    def flush(self) -> None:
        """Hand over what was written; what failed once was told of, and is not tried again.

        Raises ReaderGone, Failed.
        """
        if not self._failed:
            with self._writing():
                self.stdout.flush()

    def complain(self, text: str) -> None:
        """Put `text` and a line's end on standard error, after all that was written before.

        What would steer the screen is replaced: images and registries have their words in many a complaint.
        Never raises: a complaint that nobody can hear changes nothing about the work or its exit code.
        """
        self.relay(text if text.isprintable() else escaped.printable_lines(text))

    def relay(self, text: str) -> None:
        """As `complain`, what a command printed: every byte of it is as the command wrote it."""
        for stream, message in ((self.stdout, ""), (self.stderr, f"{text}\n")):
            with contextlib.suppress(OSError):
                stream.write(message)
                stream.flush()

    def confirm(self, message: str) -> bool:
        """Docker's question: `message [y/N] `, and whether the answer is y."""
        self.write(f"{message} [y/N] ")
        self.flush()
        return self.stdin.readline().strip().lower() == "y"

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise ReaderGone from None
        except OSError as error:
            self._failed = True
            raise Failed(f"standard output: {(error.strerror or str(error)).lower()}") from error
