"""Filters: what can be said, and what it means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.docker.filters import Filters, InvalidFilter


@pytest.mark.parametrize(
    ("options", "fields"),
    [
        ([], {}),
        ([""], {}),
        (["dangling=true"], {"dangling": ("true",)}),
        ([" DANGLING = True "], {"dangling": ("True",)}),
        (["label=a", "label=b=c", "label=a"], {"label": ("a", "b=c")}),
        (["label!=x"], {"label!": ("x",)}),
        (["=x"], {"": ("x",)}),
        (["a="], {"a": ("",)}),
    ],
)
def test_options_are_read_as_docker_reads_them(options: list[str], fields: dict[str, object]) -> None:
    assert Filters.parse(options).fields == fields


def test_an_option_needs_an_equals_sign() -> None:
    with pytest.raises(InvalidFilter, match=r"^bad format of filter \(expected name=value\)$"):
        Filters.parse(["dangling"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("dangling=maybe", "invalid filter 'dangling=[maybe]'"),
        ("dangling=", "invalid filter 'dangling=[]'"),
        ("dangling=True", "invalid filter 'dangling=[True]'"),
    ],
)
def test_a_boolean_is_one_of_four_words(option: str, message: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        Filters.parse([option]).boolean("dangling", False)
    assert str(caught.value) == message


def test_contradictions_are_refused() -> None:
    with pytest.raises(InvalidFilter, match=r"^invalid filter 'dangling=\[0 1\]'$"):
        Filters.parse(["dangling=1", "dangling=0"]).boolean("dangling", False)


@pytest.mark.parametrize(("value", "truth"), [("1", True), ("true", True), ("0", False), ("false", False)])
def test_booleans(value: str, truth: bool) -> None:
    assert Filters.parse([f"dangling={value}"]).boolean("dangling", not truth) is truth


def test_a_boolean_that_is_not_given_has_its_default() -> None:
    assert Filters().boolean("dangling", True) is True


def test_unknown_names_are_refused() -> None:
    Filters.parse(["reference=x", "before=y"]).check({"reference", "before"})
    with pytest.raises(InvalidFilter, match=r"^invalid filter 'reference'$"):
        Filters.parse(["reference=x"]).check({"label", "until"})


@pytest.mark.parametrize(
    ("options", "accepted"),
    [
        ([], True),
        (["label=a"], True),
        (["label=a=b"], True),
        (["label=a=x"], False),
        (["label=c="], True),
        (["label=c"], True),
        (["label=a", "label=z"], False),
        (["label="], False),
        (["label!=a"], False),
        (["label!=a=x"], True),
        (["label!=z"], True),
        (["label!=a", "label!=z"], True),
    ],
)
def test_labels(options: list[str], accepted: bool) -> None:
    assert Filters.parse(options).accepts_labels({"a": "b", "c": ""}) is accepted


def test_one_until_only() -> None:
    assert Filters().until(0) is None
    assert Filters.parse(["until=1h"]).until(7200 * 10**9) == 3600 * 10**9
    with pytest.raises(InvalidFilter, match=r"^more than one until filter specified$"):
        Filters.parse(["until=1h", "until=2h"]).until(0)


@pytest.mark.parametrize("text", ['{"label":{"a":true,"b=c":true}}', '{"label":["a","b=c"]}'])
def test_both_encodings_of_the_api(text: str) -> None:
    assert Filters.from_api(text).fields == {"label": ("a", "b=c")}


@pytest.mark.parametrize("text", ["x", "[]", '"a"', '{"a":1}', '{"a":[1]}', "{", '{"a":null}'])
def test_bad_filters_of_the_api(text: str) -> None:
    with pytest.raises(InvalidFilter, match=r"^invalid filter$"):
        Filters.from_api(text)


def test_the_encoding_that_docker_sends() -> None:
    assert Filters.parse(["label=b<", "label=a", "dangling=1"]).to_api() == (
        '{"dangling":{"1":true},"label":{"a":true,"b\\u003c":true}}'
    )
    assert Filters().to_api() == ""


@given(st.dictionaries(st.text(), st.lists(st.text(), min_size=1, unique=True), max_size=3))
def test_the_encoding_is_read_back(fields: dict[str, list[str]]) -> None:
    filters = Filters({name: tuple(sorted(values)) for name, values in fields.items()})
    assert Filters.from_api(filters.to_api()).fields == filters.fields
