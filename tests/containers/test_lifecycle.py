"""Which signals containers are sent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from millefeuille.containers.lifecycle import UnknownToLinux, _stop_signal, deliverable


@pytest.mark.parametrize("signal", ["65", "-1", "999999999999"])
def test_a_number_that_no_signal_has_is_not_sent(signal: str) -> None:
    with pytest.raises(UnknownToLinux, match=f"^the linux daemon does not support signal {signal}$"):
        deliverable(signal)
    assert deliverable("RTMAX") == 64


@pytest.mark.parametrize(
    ("signal", "number"), [(None, 15), ("", 15), ("INT", 2), ("3", 3), ("NOPE", 15), ("0", 15)]
)
def test_an_image_may_name_a_stop_signal_that_is_none(signal: str | None, number: int) -> None:
    container: Any = SimpleNamespace(config={"StopSignal": signal})
    assert _stop_signal(container) == number
