from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.faces.cli import values


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", '"plain"'),
        ('a"b\\', '"a\\"b\\\\"'),
        ("a\n\t\r\a", '"a\\n\\t\\r\\a"'),
        ("\x01\x7f", '"\\x01\\x7f"'),
        ("é日", '"é日"'),
        ("\u200b", '"\\u200b"'),
        ("\U000e0001", '"\\U000e0001"'),
        ("\udcff", '"\\xff"'),
    ],
)
def test_quotes_as_go(text: str, shown: str) -> None:
    assert values.quoted(text) == shown


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_quoted_ascii_is_a_json_string(text: str) -> None:
    assert json.loads(values.quoted(text)) == text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("1h30m", 5400.0),
        ("-1.5s", -1.5),
        ("+10ms", 0.01),
        (".5m", 30.0),
        ("1us", 1e-6),
        ("1µs", 1e-6),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert values.read_duration(text, 0.0) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "1", "h", "1h ", "1h-5m", "1d", "-", ".", "9999999h", "9" * 5000 + "s"])
def test_bad_durations(text: str) -> None:
    with pytest.raises(ValueError, match=r'^time: invalid duration "'):
        values.read_duration(text, 0.0)


@pytest.mark.parametrize("text", ["9" * 5000, "-" + "9" * 5000, str(1 << 63)])
def test_numbers_of_more_bits(text: str) -> None:
    with pytest.raises(ValueError, match=r"value out of range$"):
        values.read_int(text, 0)


@given(st.lists(st.text(st.characters(exclude_characters='\r\n"', codec="utf-8")), min_size=1))
def test_comma_separated_values_are_split_and_unquoted(fields: list[str]) -> None:
    line = ",".join(f'"{field}"' for field in fields)
    assert values.read_strings(line, ()) == tuple(fields)


@given(st.text())
def test_comma_separated_values_never_break(text: str) -> None:
    try:
        assert "".join(values.read_strings(text, ())).replace('"', "") in text.replace('"', "").replace(
            ",", ""
        )
    except ValueError as error:
        assert str(error).startswith("parse error on line 1, column ")
