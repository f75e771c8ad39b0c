"""Work that a copy of this process does beside it, on another processor.

What it comes to is bytes, which are handed over in memory. Python code runs on one processor only, so where
there is a second one, this is the way to use it.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
from collections.abc import Callable, Iterable

from millefeuille.annotations import Final, Self

_SIGKILL: Final = 9  # the module `signal` takes longer to load than this to write
_LENGTH = struct.Struct("<Q")


def helpers() -> int:
    """How many other processors there are; none for a process with threads, which cannot be copied."""
    threading = sys.modules.get("threading")  # who has not loaded it has no threads
    return len(os.sched_getaffinity(0)) - 1 if not threading or threading.active_count() == 1 else 0


class Beside:
    """A copy of this process that calls `work`. Use it in a `with` block: at its end the copy is gone."""

    def __init__(self, work: Callable[[], Iterable[bytes]]) -> None:
        self._memory = os.memfd_create("millefeuille", os.MFD_CLOEXEC)
        self._child = os.fork()
        if not self._child:
            _work(work, self._memory)  # does not return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._child:
            os.kill(self._child, _SIGKILL)
            os.waitpid(self._child, 0)
        os.close(self._memory)

    def parts(self) -> list[memoryview] | None:
        """What came of the work, once it is done; None when it failed, and has to be done here."""
        _, status = os.waitpid(self._child, 0)
        self._child = 0
        if status or not os.fstat(self._memory).st_size:
            return None
        everything = memoryview(mmap.mmap(self._memory, 0, access=mmap.ACCESS_READ))
        found, at = [], 0
        while at < len(everything):
            start = at + _LENGTH.size
            at = start + _LENGTH.unpack_from(everything, at)[0]
            found.append(everything[start:at])
        return found


def _work(work: Callable[[], Iterable[bytes]], memory: int) -> None:
    code = 1
    try:
        for part in work():
            for piece in (_LENGTH.pack(len(part)), part):
                view = memoryview(piece)
                while view:
                    view = view[os.write(memory, view) :]
        code = 0
    finally:
        # Nothing of what this process is a copy of may run: no exit handlers, no flushing of its buffers.
        os._exit(code)
