"""JSON in the spelling of Go's encoder (documentation of encoding/json)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.docker.jsontext import indented, marshal


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}"),
        ([], "[]"),
        ({"b": 1, "a": [None, True, False]}, '{"b":1,"a":[null,true,false]}'),
        ('<a href="x">&\'</a>', '"\\u003ca href=\\"x\\"\\u003e\\u0026\'\\u003c/a\\u003e"'),
        ("\b\f\n\r\t\x00\x1f\x7f", '"\\b\\f\\n\\r\\t\\u0000\\u001f\x7f"'),
        ("é日\U0001f600\u2028\u2029\\/", '"é日\U0001f600\\u2028\\u2029\\\\/"'),
        ("half \ud800 letter", '"half \\ufffd letter"'),
        (("a", 1.0, 0.5, -3), '["a",1,0.5,-3]'),
        ({"<": "<"}, '{"\\u003c":"\\u003c"}'),
    ],
)
def test_on_one_line(value: object, text: str) -> None:
    assert marshal(value) == text


def test_html_may_stay() -> None:
    assert marshal({"a": "<&>\u2028"}, html=False) == '{"a":"<&>\\u2028"}'


def test_indented_as_inspect_prints() -> None:
    assert indented([{"a": [], "b": {}, "c": ["<"], "d": {"e": 1}}]) == (
        '[\n    {\n        "a": [],\n        "b": {},\n        "c": [\n            "\\u003c"\n        ],\n'
        '        "d": {\n            "e": 1\n        }\n    }\n]'
    )


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=10,
)


@given(_JSON)
def test_it_says_the_same(value: object) -> None:
    assert json.loads(marshal(value)) == value
    assert json.loads(indented(value, html=False)) == value
    assert not set("<>&\u2028\n") & set(marshal(value))


@given(_JSON, st.sampled_from([4, 1, "\t"]))
def test_indented_as_the_standard_library(value: object, indent: int | str) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    assert indented(value, indent, html=False) == text
