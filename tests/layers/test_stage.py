"""A stage works in order, in its own thread, and loses neither items nor errors."""

from __future__ import annotations

import threading

import pytest

from millefeuille.layers.stage import DEPTH, Stage


def test_items_are_worked_off_in_order_in_another_thread() -> None:
    seen: list[tuple[int, int]] = []
    stage: Stage[int] = Stage("test", lambda item: seen.append((item, threading.get_ident())))
    for item in range(100):
        stage.put(item)
    stage.close()
    assert [item for item, _ in seen] == list(range(100))
    assert {thread for _, thread in seen} != {threading.get_ident()}


def test_an_error_reaches_put_and_close_and_blocks_nobody() -> None:
    failed = threading.Event()

    def work(item: int) -> None:
        if item == 3:
            failed.set()
            raise ValueError("item 3")

    stage: Stage[int] = Stage("test", work)
    with pytest.raises(ValueError, match="item 3"):
        for item in range(10 * DEPTH):
            if item == 2 * DEPTH:
                assert failed.wait(10)
            stage.put(item)
    with pytest.raises(ValueError, match="item 3"):
        stage.close()
    stage.stop()


def test_the_queue_is_short() -> None:
    release = threading.Event()
    stage: Stage[int] = Stage("test", lambda item: release.wait(10))
    done: list[int] = []

    def produce() -> None:
        for item in range(DEPTH + 3):
            stage.put(item)
            done.append(item)

    producer = threading.Thread(target=produce)
    producer.start()
    producer.join(0.2)
    assert len(done) <= DEPTH + 1
    release.set()
    producer.join(10)
    stage.close()
    assert len(done) == DEPTH + 3


def test_stopping_twice_is_harmless() -> None:
    stage: Stage[int] = Stage("test", print)
    stage.stop()
    stage.stop()
    stage.close()


def test_a_drained_stage_has_done_everything_and_takes_more() -> None:
    seen: list[int] = []
    stage: Stage[int] = Stage("test", seen.append)
    stage.drain()
    for item in range(20):
        stage.put(item)
        if item % 5 == 4:
            stage.drain()
            assert seen == list(range(item + 1))
    stage.close()


def test_draining_raises_what_the_work_met() -> None:
    def work(item: int) -> None:
        raise ValueError(f"item {item}")

    stage: Stage[int] = Stage("test", work)
    stage.put(1)
    with pytest.raises(ValueError, match="item 1"):
        stage.drain()
    stage.stop()
