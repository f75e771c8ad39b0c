"""Times in documents, as Go's time package reads and writes them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.docker import rfc3339

_SECOND = rfc3339.SECOND


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-23T03:04:07.325303826Z", 1_795_403_047 * _SECOND + 325_303_826),
        ("2026-11-23T03:04:07.5+02:00", (1_795_403_047 - 7200) * _SECOND + 500_000_000),
        ("2026-11-23T03:04:07-00:30", (1_795_403_047 + 1800) * _SECOND),
        ("0001-01-01T00:00:00Z", -62_135_596_800 * _SECOND),
        ("", None),
        ("2026-11-23", None),
        ("2026-13-23T03:04:07Z", None),
        ("2026-11-23T03:04:07", None),
        ("x2026-11-23T03:04:07Z", None),
        ("2026-11-23T03:04:07.Z", None),
        ("2026-11-23T03:04:07.1234567891Z", 1_795_403_047 * _SECOND + 123_456_789),
        ("2026-11-23T03:04:07,5Z", 1_795_403_047 * _SECOND + 500_000_000),
        ("2026-11-23T03:04:61Z", None),
        ("2026-W48-1T03:04:07Z", None),
        ("202\u0664-11-23T03:04:07Z", None),
        ("2026-11-23T03:04:07.\u0665Z", None),
    ],
)
def test_reading(text: str, value: int | None) -> None:
    assert rfc3339.nanoseconds(text) == value


def test_the_first_moment_of_1970_is_one() -> None:
    assert rfc3339.exact(0) == "1970-01-01T00:00:00Z"
    assert rfc3339.text(0) == rfc3339.ZERO


def test_text_that_is_no_time_is_the_zero_time() -> None:
    assert rfc3339.seconds("") == -62_135_596_800
    assert rfc3339.seconds("2026-11-23T03:04:07.9Z") == 1_795_403_047


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0001-01-01T00:00:00Z"),
        (_SECOND, "1970-01-01T00:00:01Z"),
        (1_795_403_047 * _SECOND + 326_464_987, "2026-11-23T03:04:07.326464987Z"),
        (1_795_403_047 * _SECOND + 500_000_000, "2026-11-23T03:04:07.5Z"),
    ],
)
def test_writing(value: int, text: str) -> None:
    assert rfc3339.text(value) == text


@pytest.mark.parametrize(
    ("written", "again", "shown"),
    [
        ("2026-11-23T03:04:07.500000000Z", "2026-11-23T03:04:07.5Z", "2026-11-23 03:04:07.5 +0000 UTC"),
        ("2026-11-23T03:04:07.000Z", "2026-11-23T03:04:07Z", "2026-11-23 03:04:07 +0000 UTC"),
        ("2026-11-23T03:04:07+02:00", "2026-11-23T03:04:07+02:00", "2026-11-23 03:04:07 +0200 +0200"),
        ("never", "never", "never"),
    ],
)
def test_writing_again(written: str, again: str, shown: str) -> None:
    assert rfc3339.normalised(written) == again
    assert rfc3339.go_string(written) == shown


def test_the_local_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    value = 1_795_403_067 * _SECOND + 622_956_776
    for zone, text in (("UTC", "2026-11-23T03:04:27{}Z"), ("CET-1", "2026-11-23T04:04:27{}+01:00")):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert rfc3339.local(value) == text.format("")
        assert rfc3339.local(value, fixed=True) == text.format(".622956776")
    monkeypatch.undo()
    time.tzset()


@given(
    st.from_regex(
        r"\A[0-9T:.Z+-]{0,34}\Z"
        r"|\A2026-1[0-3]-[0-3][0-9]T[0-2][0-9]:0[0-9]:[0-9]{1,2}[.,]?[0-9]{0,11}[Z0+]\Z"
    )
)
def test_most_times_are_read_without_a_regular_expression_and_just_as_with_it(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        plain = rfc3339.nanoseconds(text)
        patch.setattr(rfc3339, "_is_plain", lambda _: False)
        assert rfc3339.nanoseconds(text) == plain


@given(st.integers(1, 4_000_000_000 * _SECOND))
def test_what_is_written_is_read(value: int) -> None:
    assert rfc3339.nanoseconds(rfc3339.text(value)) == value
    assert rfc3339.normalised(rfc3339.text(value)) == rfc3339.text(value)
