"""How an error is said, and the exit code it ends with.

Docker's client prints what its daemon answers behind `Error response from daemon: `, and what it finds
itself without a prefix. Here the first is every error of the engine but `Unnamed`, behind `Error: `;
the second is a `Refusal`, raised by the commands.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Mapping

from millefeuille import errors, files
from millefeuille.annotations import Final
from millefeuille.faces.cli.terminal import Terminal

USAGE: Final = 125  # a flag that cannot be read
TEMPLATE: Final = 64  # a template that cannot be parsed
SIGNALLED: Final = 128  # and the number of the signal
INTERRUPTED: Final = 130  # 128 + SIGINT
READER_GONE: Final = 141  # 128 + SIGPIPE

# What is large, and needed until the process ends: taking it apart object by object would only take time.
LEFT: Final[list[object]] = []

CODES: Final[Mapping[type[errors.MilleError], int]] = {
    errors.NotFound: 1,
    errors.Conflict: 1,
    errors.Invalid: 1,
    errors.Denied: 1,
    errors.Unavailable: 1,
    errors.Corrupt: 1,
    errors.Unsupported: 1,
    errors.Failed: 1,
}


class Refusal(errors.Invalid):
    """What the command line itself objects to: said without prefix, ending with `code`."""

    def __init__(self, message: str, *, advice: str | None = None, code: int = 1) -> None:
        super().__init__(message, advice=advice)
        self.code = code


@contextlib.contextmanager
def refusing(code: int = 1) -> Iterator[None]:
    """Turn errors raised within into refusals with the same text: names and options read by the client."""
    try:
        yield
    except errors.MilleError as error:
        raise Refusal(str(error), advice=error.advice, code=code) from error


def exit_code(error: errors.MilleError) -> int:
    """The code of an error: its own, or that of its kind."""
    if isinstance(error, Refusal):
        return error.code
    return next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), 1)


def wording(error: errors.MilleError) -> str:
    """The error as a person reads it: one line, and a second one with advice where there is some."""
    message = str(error) if isinstance(error, (Refusal, errors.Unnamed)) else f"Error: {error}"
    return f"{message}\n{error.advice}" if error.advice else message


def report(terminal: Terminal, error: errors.MilleError) -> int:
    """Say `error` on standard error; its exit code."""
    terminal.complain(wording(error))
    return exit_code(error)


def known(error: Exception, root: str = "") -> errors.MilleError:
    """Any exception as one of our errors: the system's by what it concerns, a bug as what it is.

    `root` is the store's, for advice that is about it; "" when none is known.
    """
    if isinstance(error, errors.MilleError):
        return error
    if isinstance(error, OSError):
        return files.explain(error, _subject(error), root=root)
    if isinstance(error, MemoryError):
        return errors.Failed("there is not enough memory for this")
    if isinstance(error, RuntimeError) and str(error) == "can't start new thread":
        return errors.Failed("no thread can be started: memory or the number of processes is limited")
    return errors.Failed(
        f"internal error: {type(error).__name__}: {' '.join(str(error).split())}",
        advice="This is a defect of mille; `mille --debug ...` shows where it lies.",
    )


def _subject(error: OSError) -> str:
    name = error.filename
    if isinstance(name, bytes):
        name = name.decode(errors="replace")
    if isinstance(name, str):
        return name
    # Of all that has no path, only the current directory can be gone.
    return "getcwd" if error.errno == errno.ENOENT else "a system call"
