"""Files that a command reads from: named ones, or standard input."""

from __future__ import annotations

import os
import stat

from millefeuille.faces.cli.exits import Refusal
from millefeuille.faces.cli.terminal import Terminal


def open_input(terminal: Terminal, path: str) -> int:
    """A descriptor of the file at `path`, or of standard input where `path` is "-"; the caller's to close.

    Raises Refusal with Go's sentence.
    """
    if path == "-":
        return os.dup(terminal.binary_input.fileno())
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise Refusal(f"open {path}: {(error.strerror or str(error)).lower()}") from error
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Refusal(f"read {path}: is a directory")
    return descriptor
