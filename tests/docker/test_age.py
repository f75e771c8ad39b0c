"""Ages. The texts are those of docker/go-units' own table."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.docker.age import ZERO, ago, go_time, human_duration

_HOUR, _DAY = 3600, 86_400


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.45, "Less than a second"),
        (1, "1 second"),
        (45, "45 seconds"),
        (46, "46 seconds"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (119, "About a minute"),
        (120, "2 minutes"),
        (180, "3 minutes"),
        (3599, "59 minutes"),
        (_HOUR, "About an hour"),
        (1.4 * _HOUR, "About an hour"),
        (1.75 * _HOUR, "2 hours"),
        (3 * _HOUR, "3 hours"),
        (3.5 * _HOUR, "4 hours"),
        (47.4 * _HOUR, "47 hours"),
        (2 * _DAY, "2 days"),
        (7 * _DAY, "7 days"),
        (13 * _DAY + 5 * _HOUR, "13 days"),
        (14 * _DAY, "2 weeks"),
        (15 * _DAY, "2 weeks"),
        (28 * _DAY, "4 weeks"),
        (30 * _DAY, "4 weeks"),
        (60 * _DAY, "2 months"),
        (366 * _DAY, "12 months"),
        (730 * _DAY, "2 years"),
        (365 * 4 * _DAY, "4 years"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert human_duration(seconds) == text


def test_ages_count_whole_seconds_and_end_with_a_go_duration() -> None:
    assert ago(100, 160.9) == "About a minute ago"
    assert ago(200, 100) == "Less than a second ago"
    assert ago(ZERO, 1_795_403_047) == "292 years ago"


def test_times_are_in_the_local_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    for zone, text in (("UTC", "2026-11-23 03:04:07 +0000 UTC"), ("CET-1", "2026-11-23 04:04:07 +0100 CET")):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert go_time(1_795_403_047) == text
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    assert go_time(ZERO) == "0001-01-01 00:00:00 +0000 UTC"
    monkeypatch.undo()
    time.tzset()


@given(st.integers(0, 10**10), st.integers(0, 10**10))
def test_numbers_of_years_never_shrink(first: int, second: int) -> None:
    def years(seconds: int) -> int:
        words = human_duration(seconds).split()
        return int(words[0]) if words[-1] == "years" else 0

    assert years(min(first, second)) <= years(max(first, second))
