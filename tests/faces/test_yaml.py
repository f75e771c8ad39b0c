"""The YAML of Dive's files: what is read, and that all else is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from millefeuille.faces.yaml import NULL, BadYaml, Value, read_yaml

WORDS = some.text(alphabet="abcXYZ019 .-_/é:,#", min_size=1, max_size=9)
DOCUMENTS = some.dictionaries(
    WORDS,
    some.recursive(
        WORDS | some.lists(WORDS), lambda inner: some.dictionaries(WORDS, inner, max_size=3), max_leaves=6
    ),
)


def test_maps_lists_and_scalars() -> None:
    text = (
        "a: 1\nb:\n  c: 'x # y'\n  d: [p, \"q\"]\n  e:\n  - one\n  - two # three\nf: a#b\n'g h': http://x:1\n"
    )
    assert read_yaml(text) == {
        "a": "1", "b": {"c": "x # y", "d": ["p", "q"], "e": ["one", "two"]}, "f": "a#b", "g h": "http://x:1",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "a", "a: 1\na: 2", "a: &x 1", "a: *x", "a: |\n  text", "a: 'b", "a: [b", "a: 1\n  b: 2",
        "  a: 1\nb: 2", "a:\n    b: 1\n  c: 2", "- a", "a: {b: 1", "a: {b: 1} c", "a: {b: {c: 1}", "a: {b 1}",
        "a: [[b]]", "a: [b c: d]", "a: {b: 1, b: 2}", "{a: 1", "a: }",
        "a: " + "[" * 5000, "a: " + "{b: " * 5000, "{a: " * 5000, "a: [{b: c}]",
        "\n".join(" " * depth + "a:" for depth in range(5000)),
        "\n".join(" " * depth + "a:" for depth in range(30)) + " " + "{a: " * 5 + "}" * 5,
    ],
)  # fmt: skip
def test_other_yaml_is_refused(text: str) -> None:
    with pytest.raises(BadYaml, match="line"):
        read_yaml(text)


@pytest.mark.parametrize(
    "text",
    ["w" * 5000, "a: [" + "b" * 5000 + "'", "a: [] " + "b" * 5000, "a: [b" + " 'c'" * 5000,
     "a: *" + "b" * 5000, "{'" + "a" * 5000 + "'}", "a" * 5000 + ":\n" + "a" * 5000 + ":"],
)  # fmt: skip
def test_an_error_shows_the_beginning_of_a_line(text: str) -> None:
    with pytest.raises(BadYaml) as error:
        read_yaml(text)
    assert len(str(error.value)) < 140


def test_maps_within_each_other() -> None:
    assert read_yaml("a: " + "{b: " * 32 + "}" * 32)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: {b: 1, 'c d': [x, y z], e: {f: g}, h: }", {
            "a": {"b": "1", "c d": ["x", "y z"], "e": {"f": "g"}, "h": NULL},
        }),
        ('{"a": {"b": 0.1},\n "c": "d"}', {"a": {"b": "0.1"}, "c": "d"}),
        ("a: {}\nb: []", {"a": {}, "b": []}),
        ("a:\nb: ~\nc: ''\nd: {e: '', f: Null}", {"a": NULL, "b": NULL, "c": "", "d": {"e": "", "f": NULL}}),
        ("---\na: 1\n...\nb: 2", {"a": "1"}),
        ("a: {b: http://x:1/y}", {"a": {"b": "http://x:1/y"}}),
    ],
)  # fmt: skip
def test_brackets(text: str, found: dict[str, Value]) -> None:
    assert read_yaml(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1e3", "1000"), ("1.5E3", "1500"), ("0x7d0", "2000"), ("0o3720", "2000"), ("03720", "2000"),
        ("0b101", "5"), ("2_000", "2000"), ("+7", "7"), ("1999.0", "1999"), ("0.10", "0.1"), ("08", "8"),
        (".5", "0.5"), ("_1", "_1"), ("1e", "1e"), ("0x", "0x"), ("1_0kB", "1_0kB"), ("'1e3'", "1e3"),
        ("1e999", "1e999"), ("0xfffffffffffffffff", "0xfffffffffffffffff"),
    ],
)  # fmt: skip
def test_numbers_are_decimal(text: str, found: str) -> None:
    assert read_yaml(f"a: {text}") == {"a": found}
    assert float(str(read_yaml("a: 25e-6")["a"])) == 25e-6


@pytest.mark.parametrize(("text", "is_none"), [
    ("a:", True), ("a: ~", True), ("a: null", True), ("a: # why", True), ("a: {}\nb: null", False),
    ("a: 'null'", False), ('a: "null"', False), ("a: '~'", False), ('{"a": null}', True),
    ('{"a": "null"}', False), ("{a: }", True),
])  # fmt: skip
def test_a_text_in_quotes_is_a_value(text: str, is_none: bool) -> None:
    assert (read_yaml(text)["a"] is NULL) == is_none


@given(DOCUMENTS)
def test_json_is_read_as_it_is(document: dict[str, Value]) -> None:
    text = json.dumps(document, ensure_ascii=False)
    assert read_yaml(text) == document


@given(some.text(alphabet="ab:{}[],'\"-# \n\t", max_size=30))
def test_anything_else_is_refused_in_a_line(text: str) -> None:
    try:
        read_yaml(text)
    except BadYaml as error:
        assert "line" in str(error)
