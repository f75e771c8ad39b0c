"""Our terminal joined to a container: raw mode, signals and its size, for as long as that lasts."""

from __future__ import annotations

import contextlib
import os
import signal
import termios
import tty
from collections.abc import Iterator
from types import FrameType

from millefeuille.annotations import Final
from millefeuille.containers.attach import Attachment, Ended, OutputLost, Streams
from millefeuille.containers.connection import Connection
from millefeuille.containers.host import Host
from millefeuille.containers.record import Container
from millefeuille.faces.cli.command import Context
from millefeuille.faces.cli.exits import Refusal
from millefeuille.later import Later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.containers import unseen
else:
    unseen = Later("millefeuille.containers.unseen")

# What stays ours: news of our own children and pipes; what the kernel says of a fault of this process, which
# would not end after a handler; and the halt of a background job that reads the terminal, which a handler
# would have read on and on.
_OWN: Final = frozenset((
    signal.SIGCHLD, signal.SIGPIPE, signal.SIGURG, signal.SIGILL, signal.SIGBUS, signal.SIGFPE,
    signal.SIGSEGV, signal.SIGTTIN, signal.SIGTTOU, signal.SIGKILL, signal.SIGSTOP,
))  # fmt: skip
_PASSED_ON: Final = tuple(
    number for number in (*range(1, signal.SIGSYS + 1), *range(signal.SIGRTMIN, signal.SIGRTMAX + 1))
    if number not in _OWN
)  # fmt: skip
_HARMLESS: Final = frozenset((signal.SIGCONT, signal.SIGTSTP, signal.SIGWINCH))  # end no process


def attached(connection: Connection, streams: Streams, *, pass_signals: bool = True) -> Ended | None:
    """Join the streams until the container's process ends; None when the user lets go.

    Signals to this process go to the container with `pass_signals`, as many as can be caught. The
    keys of a terminal that the container has too make none here: they are input. Raises Refusal where nobody
    takes what the container says, MonitorGone.
    """
    received: list[int] = []
    woken, wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def on_wake() -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(woken, 512):
                pass
        while received:
            number = received.pop(0)
            if number == signal.SIGWINCH and streams.tty:
                attachment.resize()
            else:
                attachment.signal(number)

    def receive(number: int, frame: FrameType | None) -> None:
        received.append(number)

    attachment = Attachment(connection, streams, woken=woken, on_wake=on_wake)
    handled = {*(_PASSED_ON if pass_signals else ()), *((signal.SIGWINCH,) if streams.tty else ())}
    # Python tells no handler that is not its own, as PYTHONFAULTHANDLER sets one, and takes none such back.
    before = {number: signal.signal(number, receive) or signal.SIG_DFL for number in handled}
    waker = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    try:
        with _raw(streams.stdin) if streams.tty else contextlib.nullcontext():
            return attachment.run()
    except OutputLost as error:
        raise Refusal(str(error)) from None
    finally:
        signal.set_wakeup_fd(waker)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(woken)
        os.close(wake)


def abandoned(context: Context, host: Host, container: Container) -> int:
    """Tidy up after a container whose monitor is gone, and say so; the exit code. Raises LockTimeout."""
    code, was_killed = unseen.settled(host, container)
    if was_killed:
        context.terminal.complain(f"Error: container {container.name} was killed: its monitor is gone")
    return code


@contextlib.contextmanager
def _raw(terminal: int | None) -> Iterator[None]:
    """Every key as it is pressed, while the block lasts; nothing for what is no terminal. Whatever signal
    ends this process gives the terminal back first.
    """
    if terminal is None or not os.isatty(terminal):
        yield
        return
    descriptor, before = terminal, termios.tcgetattr(terminal)

    def end(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(termios.error):  # a terminal that is gone needs nothing
            termios.tcsetattr(descriptor, termios.TCSANOW, before)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    fatal = [
        number for number in _PASSED_ON
        if number not in _HARMLESS and signal.getsignal(number) is signal.SIG_DFL
    ]  # fmt: skip
    try:
        for number in fatal:
            signal.signal(number, end)
        tty.setraw(terminal, termios.TCSANOW)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        for number in fatal:
            signal.signal(number, signal.SIG_DFL)
