"""Processes that another thread of this one might fork at any time: they have all of its descriptors."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


@contextmanager
def outliving() -> Iterator[list[int]]:
    """A list for `fork`, whose processes live until the end of the block."""
    children: list[int] = []
    try:
        yield children
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def fork(children: list[int]) -> None:
    """One more process, which does nothing."""
    child = os.fork()
    if child == 0:
        _stay()
    children.append(child)


def _stay() -> NoReturn:
    while True:
        signal.pause()
