"""Apart: work that a process of its own does, so that the caller's stays who it is.

What containers of an ordinary user need, and what they have left, is reached from a user namespace only. A
process goes in there for good, and with one thread only: no library may do that to the program it is part of.

    function and arguments ─► an interpreter of its own, which the function may take anywhere
    events, one by one     ◄─
    a value or an error    ◄─

A copy of the caller would not do: locks that its other threads hold would stay locked in there.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

from millefeuille import errors, kernel
from millefeuille.annotations import Any, BinaryIO, Final, NoReturn
from millefeuille.errors import Failed, MilleError, Unsupported

_MAIN: Final = "import sys; sys.path[:] = {path!r}\nfrom millefeuille.api.apart import serve; serve({number})"
_PATIENCE: Final = 30.0  # seconds to leave nothing behind
_TOLD, _DONE, _FAILED = "told", "done", "failed"

Tell = Callable[[Any], object]


class NoInterpreter(Unsupported):
    """Python runs within a program that cannot start it once more."""


def apart(work: Callable[..., Any], *arguments: Any, tell: Tell | None = None) -> Any:
    """What `work(*arguments, tell)` gives, done by an interpreter of its own.

    `work` stands at the top of a module; arguments, events and what comes of it can be pickled. There `tell`
    is a function that hands events over to the one given here, which is called in this thread; None for None.
    Raises what `work` and `tell` raise, NoInterpreter, Failed when the process is killed.
    """
    if not sys.executable:
        raise NoInterpreter(
            "this program cannot start Python, which an ordinary user's containers need",
            advice="Use the command `mille`, or run as root.",
        )
    ours, theirs = socket.socketpair()
    with ours, ours.makefile("rb") as stream:
        with theirs:
            process = _start(theirs.fileno())
        try:
            ours.sendall(pickle.dumps((work, arguments, tell is not None)))
            kind, value = _answer(stream, tell)
        except (EOFError, ConnectionError):
            code = process.wait()
            raise Failed(f"the process that did the work ended with code {code}") from None
        except BaseException:
            process.send_signal(signal.SIGINT)
            raise
        finally:
            with contextlib.suppress(OSError):
                ours.shutdown(socket.SHUT_RDWR)  # nobody waits for us to read
            _wait(process)
    if kind == _FAILED:
        raise value
    return value


def _start(number: int) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-I", "-c", _MAIN.format(path=[*sys.path], number=number)]
    # A group of its own: a key that is pressed at the terminal is passed on once, by us.
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, pass_fds=(number,), process_group=0)


def _answer(stream: BinaryIO, tell: Tell | None) -> tuple[str, Any]:
    """How it ended, and what came of it."""
    while True:
        kind, value = pickle.load(stream)
        if kind != _TOLD:
            return kind, value
        if tell is not None:
            tell(value)


def _wait(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def stay_with_caller() -> None:
    """End this process, which is one that `apart` started, with the one that waits for it, as by Ctrl-C.

    To be called after the last change of users: that makes the kernel forget it. Source: prctl(2).
    """
    kernel.end_with_parent(signal.SIGINT)


def serve(number: int) -> NoReturn:
    """Do what is asked for on the socket with this descriptor: the other side of `apart`."""
    os.set_inheritable(number, False)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which the caller may ignore
    lock = threading.Lock()
    with socket.socket(fileno=number) as ours, ours.makefile("rb") as stream:

        def send(kind: str, value: object) -> None:
            message = pickle.dumps((kind, value))
            with lock, contextlib.suppress(ConnectionError):  # nobody wants to know any more
                ours.sendall(message)

        work, arguments, is_watched = pickle.load(stream)
        try:
            value = work(*arguments, (lambda event: send(_TOLD, event)) if is_watched else None)
            send(_DONE, value)
        except BaseException as error:
            send(_FAILED, _portable(error))
        finally:
            os._exit(0)  # threads that an interrupt has left are not waited for


def _portable(error: BaseException) -> BaseException:
    """The error, or where it holds what cannot be handed over, one of its kind with the same message."""
    try:
        pickle.loads(pickle.dumps(error))
        return error
    except Exception:
        if not isinstance(error, MilleError):
            return Failed(f"{type(error).__name__}: {error}")
        kind: type[MilleError] = next(one for one in type(error).__mro__ if one.__module__ == errors.__name__)
        return kind(str(error), advice=error.advice)
