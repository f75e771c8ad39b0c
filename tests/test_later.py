"""What is loaded later: not before it is used, and then it is the thing itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

from millefeuille.later import pattern, re


def test_a_pattern_is_a_regular_expression() -> None:
    digits = pattern(r"(?a)(\d+)-(\d+)")
    found = digits.fullmatch("12-3")
    assert found is not None
    assert found.groups() == ("12", "3")
    assert digits.sub(r"\2", "1-2 3-4") == "2 4"
    assert [*map(str, digits.findall("1-2 3-4"))] == ["('1', '2')", "('3', '4')"]
    assert pattern(rb"a+").search(b"baa") is not None
    assert re.fullmatch("a|b", "b") is not None


def test_an_error_comes_at_the_first_use() -> None:
    wrong = pattern("(")
    with pytest.raises(re.error):
        wrong.search("")


def test_regular_expressions_are_not_loaded_for_a_pattern() -> None:
    program = (
        f"import sys; sys.path[:0] = {sys.path!r}\n"
        "from millefeuille.later import json, pattern, re\n"
        "digits = pattern('[0-9]+')\nprint(sorted({'re', 'json'} & set(sys.modules)))\n"
        "digits.search('1'); print('re' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["[]", "True"]
