"""Amounts: however large they are written, they are read or refused in a line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from millefeuille.docker.creation import policies, quantities
from millefeuille.docker.creation.error import InvalidOption

LONG = "9" * 5000


@pytest.mark.parametrize(("read", "text", "reason"), [
    (quantities.memory, LONG + "m", "value out of range"),
    (quantities.memory, "9" * 30 + "g", "invalid size"),
    (quantities.memory, "8388608t", "invalid size"),
    (quantities.memory_and_swap, LONG, "value out of range"),
    (lambda text: quantities.unsigned(text, 64), LONG, "value out of range"),
    (lambda text: quantities.unsigned(text, 16, 10), LONG, "value out of range"),
    (quantities.nano_cpus, LONG, "as a rational number"),
    (quantities.nano_cpus, "1e99999999999", "as a rational number"),
    (quantities.nano_cpus, "1E-99999999999", "as a rational number"),
    (policies.restart_policy, f"on-failure:{LONG}", "must be an integer"),
    (policies.restart_policy, f"on-failure:{1 << 63}", "must be an integer"),
    (policies.ulimit, f"nofile={LONG}", "value out of range"),
    (policies.ulimit, f"nofile={1 << 63}", "value out of range"),
])  # fmt: skip
def test_too_large(read: Callable[[str], object], text: str, reason: str) -> None:
    with pytest.raises(InvalidOption, match=reason):
        read(text)


@pytest.mark.parametrize(("read", "text", "amount"), [
    (quantities.memory, "7000000t", 7_000_000 << 40),
    (quantities.nano_cpus, "1e3", 10**12),
    (quantities.nano_cpus, "0.5", 500_000_000),
    (lambda text: quantities.unsigned(text, 64), str((1 << 64) - 1), (1 << 64) - 1),
    (policies.restart_policy, f"on-failure:{(1 << 63) - 1}",
     {"Name": "on-failure", "MaximumRetryCount": (1 << 63) - 1}),
])  # fmt: skip
def test_large(read: Callable[[str], object], text: str, amount: object) -> None:
    assert read(text) == amount
