"""Docker's restart policies."""

from __future__ import annotations

import pytest

from millefeuille.containers.monitor.policy import Policy


@pytest.mark.parametrize(
    ("name", "code", "again"),
    [
        ("no", 1, False), ("", 0, False), ("always", 0, True), ("unless-stopped", 0, True),
        ("on-failure", 0, False), ("on-failure", 1, True),
    ],
)  # fmt: skip
def test_who_is_started_again(name: str, code: int, again: bool) -> None:
    assert (Policy(name, 0).again(code, 1.0) is not None) is again


def test_retries_are_counted() -> None:
    policy = Policy("on-failure", 2)
    assert [policy.again(1, 1.0) is not None for _ in range(3)] == [True, True, False]


def test_retries_are_counted_over_long_runs_too() -> None:
    policy = Policy("on-failure", 2)
    assert [policy.again(1, 60.0) for _ in range(3)] == [0.1, 0.1, None]


def test_waits_double_and_begin_small_again_after_a_stable_run() -> None:
    policy = Policy("always", 0)
    assert [policy.again(0, 1.0) for _ in range(3)] == [0.1, 0.2, 0.4]
    assert policy.again(0, 11.0) == 0.1
    for _ in range(20):
        longest = policy.again(0, 1.0)
    assert longest == 60.0
