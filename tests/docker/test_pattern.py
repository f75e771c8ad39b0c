"""Patterns against the images that a real engine lists for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.docker.pattern import BadPattern, familiar_match, match
from millefeuille.oci.reference import Reference

_VECTORS = json.loads((Path(__file__).parent / "vectors" / "patterns.json").read_text())


@pytest.mark.parametrize("case", _VECTORS["cases"], ids=lambda case: case["pattern"])
def test_matches_as_the_engine(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(BadPattern) as caught:
            match(case["pattern"], "busybox")
        assert str(caught.value) == case["error"]
        return
    matches = [n for n in _VECTORS["names"] if familiar_match(case["pattern"], Reference.parse(n))]
    assert sorted(matches) == case["matches"]


@given(st.text(alphabet="ab*?[]^-\\/", max_size=12), st.text(alphabet="ab/-", max_size=8))
def test_any_text_is_a_pattern_or_bad(pattern: str, text: str) -> None:
    try:
        assert match(pattern, text) in (True, False)
    except BadPattern:
        assert set(pattern) & set("[\\")


@given(st.text(max_size=20))
def test_an_escaped_text_matches_itself(text: str) -> None:
    assert match("".join(f"\\{letter}" for letter in text), text)
