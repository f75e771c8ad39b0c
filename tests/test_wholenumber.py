"""Which texts are numbers."""

from __future__ import annotations

import pytest

from millefeuille.wholenumber import whole_number


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("007", 7), ("9" * 19, 10**19 - 1)])
def test_numbers(text, number):
    assert whole_number(text) == number


@pytest.mark.parametrize("text", ["", "²", "٣", "+1", "-1", " 1", "1_0", "1.0", "9" * 20, "9" * 5000])
def test_other_texts(text):
    assert whole_number(text) is None
