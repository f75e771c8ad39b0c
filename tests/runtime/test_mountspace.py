"""Work among mounts of its own, and signals that come meanwhile."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

import pytest

from millefeuille.runtime.mountspace import privately


def test_the_work_is_over_before_an_interrupt_is_raised() -> None:
    if os.geteuid() != 0:
        pytest.skip("a mount namespace needs root")
    told, left = threading.Event(), []

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    def work() -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
        assert told.wait(10)
        left.append(True)

    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            privately(work, told.set)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert left == [True]
