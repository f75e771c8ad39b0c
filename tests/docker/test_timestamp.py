"""Times against what the docker CLI makes of them."""

from __future__ import annotations

import json
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.docker.timestamp import InvalidTime, parse_time, sent_time

_CASES = json.loads((Path(__file__).parent / "vectors" / "times.json").read_text())["cases"]
_SECOND = 1_000_000_000
_NOW = 1_795_403_047 * _SECOND


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case["text"])
def test_reads_as_docker(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(InvalidTime) as caught:
            parse_time(case["text"], _NOW)
        assert str(caught.value) == case["error"]
    elif "since" in case:
        seconds, _, fraction = case["since"].partition(".")
        assert parse_time(case["text"], _NOW) == int(seconds) * _SECOND + int(fraction.ljust(9, "0"))
    else:
        before = (_NOW - parse_time(case["text"], _NOW)) / _SECOND
        assert abs(before - case["seconds_before_now"]) <= 1


def test_a_date_without_zone_is_local() -> None:
    zone = timezone(timedelta(hours=2))
    assert parse_time("2020-01-01", 0, zone) == parse_time("2020-01-01", 0) - 7200 * _SECOND
    assert parse_time("2020-01-01Z", 0, zone) == parse_time("2020-01-01", 0)


@given(st.text(max_size=30) | st.from_regex(r"[0-9TZ:.+hms-]{1,30}", fullmatch=True))
def test_any_text_is_a_time_or_an_error(text: str) -> None:
    try:
        assert isinstance(parse_time(text, _NOW), int)
    except InvalidTime as error:
        assert text in str(error)


@pytest.mark.parametrize("text", ["9" * 5000, "9" * 5000 + ".5", "9" * 5000 + "h", "9" * 19])
def test_a_time_beyond_all_clocks(text: str) -> None:
    with pytest.raises(InvalidTime, match=r"^failed to parse value as time or duration: "):
        parse_time(text, _NOW)


def test_a_duration_is_sent_as_whole_seconds() -> None:
    assert sent_time("10s", 25_700_000_000) == "15"
    assert sent_time("-1.5s", 0) == "1"
