import threading

import pytest

from millefeuille.beside import beside


def test_both_run_at_the_same_time_and_have_ended_after_it() -> None:
    met, order = threading.Barrier(2, timeout=30), []

    def work() -> None:
        met.wait()
        met.wait()
        order.append("work")

    with beside(work):
        met.wait()
        order.append("block")
        met.wait()
    assert order == ["block", "work"]


def test_what_the_work_raises_is_raised_after_the_block() -> None:
    done = []
    with pytest.raises(ZeroDivisionError), beside(lambda: 1 / 0):
        done.append(True)
    assert done == [True]


def test_what_the_block_raises_goes_first_and_the_work_is_done() -> None:
    entered, order = threading.Event(), []

    def work() -> None:
        entered.wait(30)
        order.append("work")
        raise ZeroDivisionError

    with pytest.raises(KeyError), beside(work):
        entered.set()
        raise KeyError
    assert order == ["work"]


def test_an_interrupted_wait_still_ends_with_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    released, order = threading.Event(), []
    join, calls = threading.Thread.join, []

    def interrupted(self: threading.Thread, timeout: float | None = None) -> None:
        calls.append(self.name)
        if len(calls) == 1:
            released.set()
            raise KeyboardInterrupt
        join(self, timeout)

    def work() -> None:
        released.wait(30)
        order.append("work")

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt), beside(work):
        pass
    assert order == ["work"]
    assert len(calls) == 2
