"""One RUN: a chain and a wish in, what the command wrote out, and nothing left behind.

    prepare a root on the chain ─► start the command in it (`step`) ─► hand on what it prints, wait
        ─► what it wrote ─► remove

Several threads may do this at once.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Iterator

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.build.running import document, kept
from millefeuille.build.running.failure import StepFailed, StepStopped
from millefeuille.build.running.host import RunHost, remove
from millefeuille.build.running.step import Step, settle, waited
from millefeuille.build.running.streams import Log, follow
from millefeuille.build.running.wish import RunWish
from millefeuille.errors import MilleError
from millefeuille.layers.changes import Written
from millefeuille.runtime.bundles import claimed
from millefeuille.runtime.runtime import Stdio
from millefeuille.snapshots import written
from millefeuille.values import dataclass

_LAST: Final = 32  # lines that a failure tells


@contextlib.contextmanager
def run_step(
    host: RunHost, wish: RunWish, log: Log, *, stop: threading.Event | None = None, keep: bool = False
) -> Iterator[Written]:
    """Run the command; in the block, what it wrote, for `changed.layer_changes`.

    `log` is told of what it prints, in the caller's thread. When `stop` is set meanwhile, the command is
    killed. With `keep`, the root of a command that failed stays, for `shell`. Raises StepFailed,
    StepStopped, EntitlementMissing, BadTarget, NoSuchUser, InvalidDirectory, UnsafeRoot, UnsafeMount,
    UnsafePath, MountFailed, MountDenied, NamespaceDenied, RuntimeMissing, NotFound for the chain or what is
    to be mounted, OSError, and what `log` raises. But for a root that is kept, nothing is left behind.
    """
    document.check(host, wish)
    id = os.urandom(32).hex()
    with claimed(host.directory, id) as bundle:
        step = Step(host, wish, id, bundle)
        try:
            files.make_directories(host.scratch(id))
            code, unstarted, lines = _run(host, wish, id, step, log, stop or threading.Event())
            if code:
                key, unkept = _kept(host, id, wish) if keep else (None, "")
                raise StepFailed(
                    wish.arguments, code, unstarted=unstarted, kept=key, unkept=unkept, lines=lines
                )
            with written.opened(host.snapshots, id) as found:
                yield found
        finally:
            remove(host, id, [id, *step.keys])


def _kept(host: RunHost, id: str, wish: RunWish) -> tuple[str | None, str]:
    """The key of the root of a command that failed, None when it cannot be kept, and why not."""
    try:
        return kept.keep(host, id, wish), ""
    except (OSError, MilleError) as error:  # the command may have filled the disk: its failure is to be told
        reason = (error.strerror if isinstance(error, OSError) else "") or str(error)
        return None, reason[:1].lower() + reason[1:]


def _run(
    host: RunHost, wish: RunWish, id: str, step: Step, log: Log, stop: threading.Event
) -> tuple[int, str, deque[bytes]]:
    """The exit code of the command, why it was not started if it was not, and the last lines that it
    printed.
    """
    lines: deque[bytes] = deque(maxlen=_LAST)

    def told(number: int, line: bytes) -> None:
        lines.append(line)
        log(number, line)

    def tick() -> None:
        if stop.is_set():
            raise StepStopped("the build was stopped")

    with _pipe() as out, _pipe() as err:
        tick()  # what was stopped meanwhile does not begin
        mounts = host.snapshots.prepare(id, wish.parent)
        stdio = Stdio(stdin=None, stdout=out.writer, stderr=err.writer)
        with step.started(mounts, stdio, tick) as process:
            out.close_writer()
            err.close_writer()
            try:
                follow({out.reader: 1, err.reader: 2}, told, tick)
            except BaseException:
                # The runtime does not end before somebody took, or nobody can take, what the command printed.
                out.close_reader()
                err.close_reader()
                raise
            code, unstarted = waited(process, tick)
            step.clear()
    settle(mounts if code else ())
    return code, unstarted, lines


@dataclass(slots=True)
class _Pipe:
    reader: int
    writer: int

    def close_writer(self) -> None:
        """Leave it to the processes that inherited it."""
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1

    def close_reader(self) -> None:
        """Take no more of what is printed."""
        if self.reader >= 0:
            os.close(self.reader)
            self.reader = -1


@contextlib.contextmanager
def _pipe() -> Iterator[_Pipe]:
    pipe = _Pipe(*os.pipe2(os.O_CLOEXEC))
    try:
        yield pipe
    finally:
        pipe.close_writer()
        pipe.close_reader()
