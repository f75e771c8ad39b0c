"""Signals: the names and numbers that Docker takes, and no others."""

from __future__ import annotations

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from millefeuille.oci.signals import LAST, NUMBERS, InvalidSignal, signal_number


def test_as_the_system_numbers_them() -> None:
    for name, number in NUMBERS.items():
        base, sign, offset = name.partition("+") if "+" in name else name.partition("-")
        apart = int(sign + offset) if offset else 0
        assert number == signal.Signals[f"SIG{base}"] + apart
    assert max(NUMBERS.values()) == signal.SIGRTMAX == LAST


@pytest.mark.parametrize(
    ("text", "number"),
    [("KILL", 9), ("sigkill", 9), ("9", 9), ("009", 9), ("+9", 9), ("rtmin+15", 49), ("SIGRTMAX-14", 50),
     ("65", 65), ("-1", -1), ("iot", 6)],
)  # fmt: skip
def test_means(text: str, number: int) -> None:
    assert signal_number(text) == number


NONE = ["0", "-0", "SIG", "SIG9", "RTMIN+16", "RTMIN+0", "RTMAX-15", "KILL+1", " 9", "9x", "\u0669", "+-9"]


@pytest.mark.parametrize("text", [*NONE, "", "\xb2", "9" * 30, "SIGSIGKILL"])
def test_means_nothing(text: str) -> None:
    with pytest.raises(InvalidSignal) as caught:
        signal_number(text)
    assert str(caught.value) == f"invalid signal: {text}"


@given(some.text(max_size=12))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        assert signal_number(text) != 0
    except InvalidSignal as error:
        assert str(error) == f"invalid signal: {text}"
