"""What takes too long ends, and leaves nothing behind."""

from __future__ import annotations

import signal
import time

import pytest

from millefeuille.faces.tui.deadline import Expired, within


def test_what_takes_too_long_ends() -> None:
    with pytest.raises(Expired), within(0.01):
        while True:
            pass


def test_an_alarm_of_others_stays() -> None:
    rung: list[int] = []
    handler = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with within(10):
            pass
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
        time.sleep(0.1)
        assert rung == [signal.SIGALRM]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


class _Careless:
    def __del__(self) -> None:
        time.sleep(0.05)  # Python tells of what is raised here, and goes on


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_alarm_that_is_lost_comes_again() -> None:
    with pytest.raises(Expired), within(0.02):
        _Careless()
        while True:
            pass
