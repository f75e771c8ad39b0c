"""Reading WWW-Authenticate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.registry.challenge import Challenge, parse


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Basic realm="Registry"', [Challenge("basic", {"realm": "Registry"})]),
        (
            'Bearer realm="https://h/token",scope="repository:a/b:pull,push"',
            [Challenge("bearer", {"realm": "https://h/token", "scope": "repository:a/b:pull,push"})],
        ),
        ("Negotiate", [Challenge("negotiate")]),
        ("Negotiate YWJj=, Basic realm=x", [Challenge("negotiate"), Challenge("basic", {"realm": "x"})]),
        (
            'Basic realm="a", Bearer realm="b" , service=c',
            [Challenge("basic", {"realm": "a"}), Challenge("bearer", {"realm": "b", "service": "c"})],
        ),
        (r'Basic realm="a \"quoted\" \\ name, x"', [Challenge("basic", {"realm": 'a "quoted" \\ name, x'})]),
        ('BEARER REALM = "x"', [Challenge("bearer", {"realm": "x"})]),
        ('Bearer realm="first",realm="second"', [Challenge("bearer", {"realm": "first"})]),
        (",,  ,Basic realm=x,,", [Challenge("basic", {"realm": "x"})]),
        ('Bearer realm="unclosed', [Challenge("bearer")]),
        ("", []),
        ('="x"', []),
        ("@@@", []),
    ],
)  # fmt: skip
def test_parse(header, expected):
    assert parse([header]) == expected


def test_several_lines():
    found = parse(["Basic realm=a", 'Bearer realm="b"'])
    assert [challenge.scheme for challenge in found] == ["basic", "bearer"]


@given(st.text(alphabet=st.characters(codec="latin-1"), max_size=200))
def test_junk_ends(text):
    for challenge in parse([text]):
        assert challenge.scheme == challenge.scheme.lower()


_VALUES = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=40)


@given(st.dictionaries(st.sampled_from(["realm", "service", "scope", "error"]), _VALUES, min_size=1))
def test_what_is_quoted_comes_back(parameters):
    escaped = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in parameters.items()}
    quoted = [f'{name}="{value}"' for name, value in escaped.items()]
    assert parse(["Bearer " + ", ".join(quoted)]) == [Challenge("bearer", parameters)]
