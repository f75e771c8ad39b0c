"""What an update is refused for, in Docker's words."""

from __future__ import annotations

from typing import Any

import pytest

from millefeuille.containers.updating import _merged as merged
from millefeuille.containers.updating import _refusal as refusal


@pytest.mark.parametrize(
    ("now", "changes", "words"),
    [
        ({"CpuPeriod": 1}, {"NanoCpus": 1}, "Nano CPUs cannot be updated as CPU Period has"),
        ({"CpuQuota": 1}, {"NanoCpus": 1}, "Nano CPUs cannot be updated as CPU Quota has"),
        ({"NanoCpus": 1}, {"CpuPeriod": 1}, "CPU Period cannot be updated as NanoCPUs has"),
        ({"NanoCpus": 1}, {"CpuQuota": 1}, "CPU Quota cannot be updated as NanoCPUs has"),
        ({"Memory": 10}, {"Memory": 21}, "already set memoryswap limit"),
        ({}, {"Memory": 10}, "already set memoryswap limit"),
        ({"Memory": 10, "MemorySwap": -1}, {"Memory": 9}, "already set memoryswap limit"),
        ({"Memory": 10, "MemorySwap": 12}, {"Memory": 13}, "already set memoryswap limit"),
        ({}, {"MemorySwap": 5}, "always set the Memory limit"),
        ({"AutoRemove": True}, {"RestartPolicy": {"Name": "always"}}, "AutoRemove is enabled"),
    ],
)
def test_refused(now: dict[str, Any], changes: dict[str, Any], words: str) -> None:
    assert words in (refusal(now, changes) or "")


@pytest.mark.parametrize(
    ("now", "changes"),
    [
        ({"NanoCpus": 1}, {"NanoCpus": 2}),
        ({"Memory": 10}, {"Memory": 20}),
        ({"Memory": 10}, {"Memory": 30, "MemorySwap": 40}),
        ({}, {"Memory": 10, "MemorySwap": 20}),
        ({"Memory": 10}, {"MemoryReservation": 90}),
        ({"AutoRemove": True}, {"RestartPolicy": {"Name": "no"}}),
        ({}, {"MemorySwap": -1}),
    ],
)
def test_granted(now: dict[str, Any], changes: dict[str, Any]) -> None:
    assert refusal(now, changes) is None


@pytest.mark.parametrize(
    ("now", "changes", "swap"),
    [
        ({"Memory": 50}, {"Memory": 60}, 100),
        ({"Memory": 50}, {"CpuShares": 5}, 100),
        ({"Memory": 50, "MemorySwap": -1}, {"CpuShares": 5}, -1),
        ({"Memory": 50}, {"Memory": 60, "MemorySwap": 70}, 70),
        ({}, {"CpuShares": 5}, 0),
    ],
)
def test_the_swap_limit_stays_that_of_the_creation(
    now: dict[str, Any], changes: dict[str, Any], swap: int
) -> None:
    found = merged(now, changes)
    assert found.get("MemorySwap", 0) == swap
    assert found["Memory" if "Memory" in changes else "CpuShares"] == next(iter(changes.values()))
