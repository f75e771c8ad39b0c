"""Moments: the same times, and no others, as the grammar of RFC 3339 has."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from millefeuille.oci.moment import is_moment, nanoseconds, rfc3339

SHAPE = r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:[Zz]|[+-]\d{2}:\d{2})"
NEARLY = some.from_regex(rf"(?a)\A{SHAPE}\Z") | some.text("0123456789-T:.Zz+,t ", min_size=18, max_size=30)


@given(some.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=some.timezones()))
def test_as_the_standard_library_reads(moment: datetime) -> None:
    zone = moment.utcoffset()
    assert zone is not None
    if zone.total_seconds() % 60:
        return  # a zone of long ago, which RFC 3339 cannot write
    microseconds = (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // datetime.resolution
    assert nanoseconds(moment.isoformat()) == microseconds * 1000


@given(NEARLY)
@example("2024-02-29T23:59:59.123456789012+05:30")
@example("2023-02-29T00:00:00Z")
@example("1900-02-29T00:00:00Z")
@example("2016-12-31T23:59:60Z")
@example("1970-01-01T00:00:00Z")
@example("9999-12-31T23:59:59Z")
@example("2024-13-01T00:00:00Z")
@example("2024-01-01T00:00:00")
@example("2024-01-01")
def test_a_moment_is_one_that_there_is(text: str) -> None:
    try:
        datetime.fromisoformat(text[:10] + "T" + text[11:19])
        there = bool(re.fullmatch(SHAPE, text, re.ASCII))
    except ValueError:
        there = False
    if not text.startswith("0000"):
        assert is_moment(text) == there


@given(NEARLY)
@example("2024-01-02T03:04:05.Z")
@example("2024-01-02T03:04:05+1:000")
@example("2024-01-02T03:04:05Z\n")
@example("٢٠٢٤-01-02T03:04:05Z")
def test_nothing_but_the_grammar(text: str) -> None:
    if not re.fullmatch(SHAPE, text, re.ASCII):
        assert nanoseconds(text) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01Z", 10**9),
        ("1970-01-01t00:00:01,5z", 1_500_000_000),
        ("1970-01-01T00:00:00.1234567899Z", 123_456_789),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T00:00:00-00:30", 1800 * 10**9),
        ("0001-01-01T00:00:00Z", 0),
        ("2024-13-01T00:00:00Z", 0),
        ("", 0),
    ],
)
def test_times(text: str, expected: int) -> None:
    assert nanoseconds(text) == expected


def test_there_and_back() -> None:
    assert rfc3339(nanoseconds("2024-02-29T12:00:00.25Z")) == "2024-02-29T12:00:00.25Z"
