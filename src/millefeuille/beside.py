"""Beside: a piece of work in a thread while the caller goes on, where both wait for the kernel mostly."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def beside(work: Callable[[], object]) -> Iterator[None]:
    """Do `work` while the block runs; when it is left, both have ended.

    Raises what the block raises, else what `work` raises.
    """
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="beside")
    thread.start()
    try:
        yield
    finally:
        try:
            thread.join()
        except BaseException:  # a signal's: what comes next may undo this work, and must find it done
            thread.join()
            raise
    if failures:
        raise failures[0]
