"""Documents that can be read in one way only."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.oci.strictjson import InvalidDocument, parse_object


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "x: not valid JSON"),
        (b"{", "x: not valid JSON"),
        (b"[]", "x: not a JSON object"),
        (b"null", "x: not a JSON object"),
        (b'"{}"', "x: not a JSON object"),
        (b"{} {}", "x: not valid JSON"),
        (b"\xef\xbb\xbf{}", "x: not valid JSON"),
        (b"{'a':1}", "x: not valid JSON"),
        (b'{"a":1,}', "x: not valid JSON"),
        (b'{"a":01}', "x: not valid JSON"),
        (b'{"a":"\t"}', "x: not valid JSON"),
        (b"\xff\xfe", "x: not UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "x: not UTF-8"),
        ("{}".encode("utf-16"), "x: not UTF-8"),
        (b'{"a":1,"a":1}', "x: a key appears twice"),
        (b'{"a":1,"\\u0061":2}', "x: a key appears twice"),
        (b'{"a":[{"b":1,"b":2}]}', "x: a key appears twice"),
        (b'{"a":NaN}', "x: NaN is not a JSON number"),
        (b'{"a":-Infinity}', "x: -Infinity is not a JSON number"),
        (b'{"a":1e999}', "x: a number is out of range"),
        (b'{"a":9223372036854775808}', "x: a number is out of range"),
        (b'{"a":' + b"9" * 5000 + b"}", "x: a number is out of range"),
        (b'{"a":"\\ud800"}', "x: half a surrogate pair in a string"),
        (b'{"\\udc00x":1}', "x: half a surrogate pair in a string"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "x: nested deeper than 64 levels"),
        (b'{"a":' + b"[" * 100_000, "x: nested deeper than 64 levels"),
    ],
)
def test_refused(raw: bytes, message: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse_object(raw, "x")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"{}", {}),
        (b' {"a" : [1, -2, 0.5, null, true] }\n', {"a": [1, -2, 0.5, None, True]}),
        (b'{"a":"[[[[{{{{\\"}"}', {"a": '[[[[{{{{"}'}),
        (b'{"a":"\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        (b'{"a":9223372036854775807}', {"a": 2**63 - 1}),
        (b'{"a":' * 64 + b"1" + b"}" * 64, None),
    ],
)
def test_accepted(raw: bytes, value: object) -> None:
    assert parse_object(raw, "x") == (json.loads(raw) if value is None else value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), _JSON, max_size=4))
def test_what_is_written_is_read(value: dict[str, object]) -> None:
    for ascii_only in (True, False):
        assert parse_object(json.dumps(value, ensure_ascii=ascii_only).encode(), "x") == value


@given(st.binary(max_size=40))
def test_any_bytes_are_an_object_or_an_error(raw: bytes) -> None:
    try:
        assert isinstance(parse_object(raw, "x"), dict)
    except InvalidDocument as error:
        assert str(error).startswith("x: ")
