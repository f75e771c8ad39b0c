"""Patterns of substitutions, against regular expressions."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from millefeuille.build.dockerfile.substitution import compiled, replaced, without_prefix, without_suffix

TEXTS = st.text("ab*?\\/", max_size=12)
PATTERNS = st.lists(st.sampled_from(["a", "b", "*", "?", "\\*", "\\?", "\\\\"]), max_size=6).map("".join)


def expression(pattern: str, star: str) -> str:
    """The regular expression that means the same."""
    parts = re.findall(r"\\.|.", pattern)
    return "".join({"*": star, "?": "."}.get(part) or re.escape(part[-1]) for part in parts)


@given(TEXTS, PATTERNS)
def test_prefixes(text: str, pattern: str) -> None:
    for longest, star in ((False, ".*?"), (True, ".*")):
        found = re.match(expression(pattern, star), text, re.DOTALL)
        expected = text if found is None else text[found.end() :]
        assert without_prefix(text, compiled(pattern, "\\"), longest=longest) == expected


@given(TEXTS, PATTERNS)
def test_suffixes(text: str, pattern: str) -> None:
    starts = [
        start
        for start in range(len(text) + 1)
        if re.fullmatch(expression(pattern, ".*"), text[start:], re.DOTALL)
    ]
    for longest in (False, True):
        expected = text[: (min if longest else max)(starts)] if starts else text
        assert without_suffix(text, compiled(pattern, "\\"), longest=longest) == expected


@given(TEXTS, PATTERNS.filter(bool), st.sampled_from(["", "x", "a", "\\1"]))
def test_replacement(text: str, pattern: str, new: str) -> None:
    source = re.compile(expression(pattern, ".*"), re.DOTALL)
    once = source.sub(lambda _: new, text, count=1)
    assert replaced(text, compiled(pattern, "\\"), new, every=False) == once
    # Python replaces the empty text behind a match too, Go does not.
    places = [
        found for found in source.finditer(text) if found.group() or found.start() != len(text) or not text
    ]
    expected, done = "", 0
    for found in places:
        expected += text[done : found.start()] + new
        done = found.end()
    assert replaced(text, compiled(pattern, "\\"), new, every=True) == expected + text[done:]
