"""A copy of the process that works beside it: what it gives, what becomes of one that fails, and its end."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from millefeuille.transfer.beside import Beside


@pytest.fixture(autouse=True)
def no_child_is_left() -> Iterator[None]:
    before = children()
    yield
    assert children() == before


def children() -> set[str]:
    """The children of this process; servers of other tests may be among them."""
    found = set[str]()
    for thread in os.listdir("/proc/self/task"):
        found.update(Path(f"/proc/self/task/{thread}/children").read_text().split())
    return found


@pytest.mark.parametrize("parts", [[b"a"], [b"", b"x" * 3_000_000, b"", b"y"]])
def test_its_parts_come_as_they_were_given(parts: list[bytes]) -> None:
    with Beside(lambda: parts) as helper:
        assert [bytes(part) for part in helper.parts() or ()] == parts


def test_one_that_fails_gives_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    def work() -> Iterator[bytes]:
        yield b"begun"
        raise ValueError

    with Beside(work) as helper:
        assert helper.parts() is None
    assert capfd.readouterr() == ("", "")


def test_one_that_nobody_asks_is_ended() -> None:
    def work() -> Iterator[bytes]:
        time.sleep(60)
        yield b"late"

    start = time.monotonic()
    with Beside(work):
        pass
    assert time.monotonic() - start < 10
