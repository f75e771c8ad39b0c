"""Waiting: Retry-After in all its forms, and growing pauses."""

from __future__ import annotations

import pytest

from millefeuille.registry.patience import Patience, retry_after

NOW = 1_000_000_000.0  # 9 September 2001, 01:46:40 GMT


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("9999999999", 1e9),
        ("9" * 5000, 1e9),
        ("Sun, 09 Sep 2001 01:47:40 GMT", 60.0),
        ("Sun, 09 Sep 2001 01:45:40 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("1e9", None),
        ("٣", None),
        ("", None),
        ("Sun, 99 Sep 2001 01:47:40 GMT", None),
    ],
)
def test_header(header, seconds):
    assert retry_after({"Retry-After": header}, now=NOW) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("toomanyrequests: retry-after: 985.86µs, allowed: 44000/minute", 985.86e-6),
        ("retry-after: 3s", 3.0),
        ("Retry-After: 2m", 120.0),
        ("retry-after: 1.2.3s", None),
        ("nothing of the sort", None),
    ],
)
def test_text(text, seconds):
    found = retry_after({}, text)
    assert found == pytest.approx(seconds) if seconds is not None else found is None


def test_pauses_grow_up_to_a_bound():
    patience = Patience(first_delay=1.0, longest_delay=10.0)
    for attempt, plain in ((1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 10.0), (60, 10.0)):
        for _ in range(20):
            assert plain * 0.75 <= patience.delay(attempt) <= plain * 1.25
