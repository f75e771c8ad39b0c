"""Forks: a process with threads is copied only between their uses of a database.

What SQLite knows of its locks is the process's, and a copy has it without the locks themselves: one that is
made while another thread has a database open believes for ever that it is locked, or reads what it has not
locked. So a fork waits for the other threads, whose transactions take milliseconds, and keeps them from new
ones. A copy that was made amid one all the same is told so, rather than left to wait for itself.

Source: SQLite "How To Corrupt An SQLite Database File", section 2.6; pthread_atfork(3).
"""

from __future__ import annotations

import contextlib
import os
import time
from _thread import RLock, get_ident, interrupt_main, start_new_thread  # threading takes longer to load
from _weakref import ref  # and so does weakref

from millefeuille.annotations import Any, Final
from millefeuille.errors import Failed
from millefeuille.store.sqlite import sqlite3

_PATIENCE: Final = 5.0  # seconds that a fork waits: who has a database open might wait for who forks
_PAUSE: Final = 0.0005


class ForkedAmid(Failed):
    """This process is a copy that was made while its parent was using a database."""


class Connection(sqlite3.Connection):
    """SQLite's own, which forks of other threads wait for until it is closed."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        _opened(ref(self, _closed))  # also one that a signal lost
        try:
            super().__init__(*arguments, **options)
        except BaseException:
            _closed(ref(self))
            raise

    def close(self) -> None:
        try:
            super().close()
        finally:
            _closed(ref(self))


_gate = RLock()  # held while a fork is under way, and where a thread opens a database
_open: dict[ref[Connection], int] = {}  # the connections of this process, and the thread that opened each one
_interrupted: list[bool] = []  # holds something when a fork was, as it waited
_inherited: set[ref[Connection]] = set()  # those that were open when this process was forked


def check(path: str) -> None:
    """Hold that this process can use the database at `path`. Raises ForkedAmid."""
    if _inherited:
        raise ForkedAmid(
            f"{path}: of no use to a process that was forked while its parent used the store",
            advice="Fork outside of the store's transactions, or start the process anew (spawn).",
        )


def _opened(connection: ref[Connection]) -> None:
    me = get_ident()
    # Who has one open is waited for, and must not wait for its second.
    with contextlib.nullcontext() if me in [*_open.values()] else _gate:
        _open[connection] = me


def _closed(connection: ref[Connection]) -> None:
    _open.pop(connection, None)
    _inherited.discard(connection)


def _before() -> None:
    _interrupted.clear()
    try:
        _gate.acquire()
        _settle()
    except KeyboardInterrupt:  # what came out of here would be printed, and forgotten
        _interrupted.append(True)


def _settle() -> None:
    """Wait for the databases that other threads have open."""
    me, deadline = get_ident(), time.monotonic() + _PATIENCE
    while any(thread != me for thread in [*_open.values()]) and time.monotonic() < deadline:
        time.sleep(_PAUSE)


def _in_parent() -> None:
    _release()
    if _interrupted:
        start_new_thread(interrupt_main, ())  # from here it would not come out either


def _in_child() -> None:
    _inherited.update(_open)
    _release()


def _release() -> None:
    with contextlib.suppress(RuntimeError):  # an interrupt may have come before it was taken
        _gate.release()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
