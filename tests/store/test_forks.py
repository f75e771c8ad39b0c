from __future__ import annotations

import contextlib
import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from millefeuille.store import database, forks
from millefeuille.store.forks import ForkedAmid
from millefeuille.store.store import Store

_LONG = 8  # seconds after which a child counts as stuck


@pytest.fixture
def made(store: Store) -> Store:
    """A store with an empty database."""
    store.create()
    _write(store)
    return store


def _write(store: Store) -> None:
    with store.writing() as tx:
        tx.changed_names = True


def _refused(store: Store) -> None:
    for use in (store.writing, store.reading):
        with pytest.raises(ForkedAmid), use():
            pass


def _in_child(work: Callable[[], None]) -> int:
    """How a child that does `work` ends: 0 when nothing was raised, a negative signal when it was stuck."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        signal.alarm(_LONG)
        work()
        code = 0
    finally:
        os._exit(code)


@contextlib.contextmanager
def _thread(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """`work` in a thread, which is told by its argument when to end; the block begins with its first use."""
    begun, over = threading.Event(), threading.Event()

    class Told(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            begun.set()
            return over.wait(timeout)

    thread = threading.Thread(target=work, args=(Told(),))
    thread.start()
    try:
        assert begun.wait(_LONG)
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("use", ["writing", "reading"])
def test_a_fork_waits_for_the_transactions_of_other_threads(made: Store, use: str) -> None:
    def work(over: threading.Event) -> None:
        with getattr(made, use)():
            over.wait(0.2)

    with _thread(work):
        assert _in_child(lambda: _write(made)) == 0
    _write(made)


def test_children_of_a_program_whose_threads_write_can_write(made: Store) -> None:
    def work(over: threading.Event) -> None:
        while not over.wait(0.005):
            _write(made)

    with _thread(work):
        assert [_in_child(lambda: _write(made)) for _ in range(10)] == [0] * 10


def test_a_thread_that_a_fork_waits_for_may_look_once_more(made: Store) -> None:
    def work(over: threading.Event) -> None:
        with made.writing():
            over.wait(0.2)  # the fork has begun to wait
            with made.reading():
                pass

    with _thread(work):
        began = time.monotonic()
        assert _in_child(lambda: _write(made)) == 0
        assert time.monotonic() - began < forks._PATIENCE


def test_a_fork_amid_an_endless_transaction_gives_a_child_that_is_told_so(
    made: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forks, "_PATIENCE", 0.05)

    def work(over: threading.Event) -> None:
        with made.reading():
            over.wait(_LONG)

    with _thread(work):
        assert _in_child(lambda: _refused(made)) == 0
    assert _in_child(lambda: _write(made)) == 0


def test_an_interrupt_of_a_fork_that_waits_is_not_lost(
    made: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    def work(over: threading.Event) -> None:
        with made.reading():
            over.wait(_LONG)

    with _thread(work):
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):  # where it comes is not known
            assert _in_child(lambda: None) == 0
            time.sleep(_LONG)
        assert time.monotonic() - began < forks._PATIENCE
    assert _in_child(lambda: _write(made)) == 0
    assert capfd.readouterr().err == ""


def test_who_forks_amid_its_own_transaction_waits_for_nothing_and_ends_it_first(made: Store) -> None:
    def work() -> None:
        _refused(made)
        opened.close()
        _write(made)

    began = time.monotonic()
    with contextlib.closing(database.connect(made.disk.database)) as opened:
        opened.execute("BEGIN")
        assert _in_child(work) == 0
    assert time.monotonic() - began < forks._PATIENCE


def test_what_was_lost_is_not_waited_for(made: Store) -> None:
    def work(over: threading.Event) -> None:
        database.connect(made.disk.database)  # a signal came before anybody had it
        gc.collect()
        over.wait(_LONG)

    with _thread(work):
        assert _in_child(lambda: _write(made)) == 0
