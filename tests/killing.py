"""Work that is done in a process of its own, which may be killed at any of its acts."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from millefeuille import files


def was_killed(work: Callable[[], object], act: int) -> bool:
    """Do `work` in a child that SIGKILL ends just before its act of that number; whether it came so far."""
    child = os.fork()
    if child == 0:
        count = 0

        def step(name: str, subject: object) -> None:
            nonlocal count
            count += 1
            if count == act:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            files.hook = step
            work()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])
