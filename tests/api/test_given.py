"""What verbs are given from Python: what they take, and how they refuse the rest."""

from __future__ import annotations

from typing import Any

import pytest

from millefeuille.api import given
from millefeuille.api.given import InvalidArgument

LATEST = 253_402_300_799  # the last second of the year 9999
HUGE = 10**5000  # which Python does not write down


def test_a_text_alone_is_itself() -> None:
    assert given.texts("app:1", "tags") == given.texts(iter(["app:1"]), "tags") == ("app:1",)
    assert given.texts((), "tags") == ()
    with pytest.raises(InvalidArgument, match=r"^tags: a text is needed, not int$"):
        given.texts(["app:1", 2], "tags")  # type: ignore[list-item]  # what programs without types do


def test_variables() -> None:
    whole = ("A=b", "C=d=e")
    assert given.variables({"A": "b", "C": "d=e"}, "environment") == whole
    assert given.variables(["A=b", "C=d=e"], "environment") == whole
    assert given.variables("A=b", "environment") == whole[:1]
    with pytest.raises(InvalidArgument, match=r"^environment\['A'\]: a text is needed, not NoneType$"):
        given.variables({"A": None}, "environment")  # type: ignore[dict-item]  # the same
    for name in ("", "A=b"):
        with pytest.raises(InvalidArgument, match=rf"^environment: '{name}' is no name of a variable$"):
            given.variables({name: "x"}, "environment")
    with pytest.raises(InvalidArgument, match=r"^environment\['A'\]: a text without NUL is needed$"):
        given.variables({"A": "b\0"}, "environment")


@pytest.mark.parametrize("number", [None, 0, LATEST])
def test_an_epoch(number: int | None) -> None:
    assert given.epoch(number) == number


def test_what_is_no_epoch() -> None:
    wrong: list[Any] = [-1, 1.5, LATEST + 1, HUGE, "1", True]
    for number in wrong:
        with pytest.raises(InvalidArgument, match=rf"^epoch: a whole number from 0 to {LATEST} is needed$"):
            given.epoch(number)


def test_numbers_of_events() -> None:
    for number in (-1, 0, 2**63 - 1):
        assert given.event(number) == number
    for wrong in (2**63, -HUGE, 0.5, "1", None):
        with pytest.raises(InvalidArgument, match=r"^after: a whole number from "):
            given.event(wrong)  # type: ignore[arg-type]  # what programs without types do


def test_texts_by_their_names() -> None:
    assert given.by_name(None, "labels") == {}
    assert given.by_name({"a": "b"}, "labels") == {"a": "b"}
    for wrong, message in (
        ({"a": 1}, r"labels\['a'\]: a text is needed, not int"),
        ({1: "a"}, "labels: a text is needed, not int"),
        (["a=b"], "labels: a mapping of texts is needed, not list"),
    ):
        with pytest.raises(InvalidArgument, match=f"^{message}$"):
            given.by_name(wrong, "labels")  # type: ignore[arg-type]  # what programs without types do
