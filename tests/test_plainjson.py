"""Plain JSON: the same values and texts, and errors where there are some, as the package `json` has."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from millefeuille import plainjson
from millefeuille.plainjson import dumps, loads, reader

VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=20,
)
TEXTS = some.text(alphabet='{}[]",:0123456789.eE+-trufalsn\\ \n\t\ufeffNaIity/x', max_size=30)


@pytest.fixture(params=["the C functions", "the package"])
def ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "the package":
        monkeypatch.setattr(plainjson, "_json", None)
        monkeypatch.setattr(plainjson, "_read", reader())


@given(VALUES, some.booleans(), some.sampled_from([(", ", ": "), (",", ":")]))
def test_written_as_the_package_does(value: Any, plain: bool, separators: tuple[str, str]) -> None:
    text = dumps(value, ensure_ascii=plain, separators=separators)
    assert text == json.dumps(value, ensure_ascii=plain, separators=separators)
    assert loads(text) == value


@given(some.dictionaries(some.text(), VALUES))
def test_sorted_keys(value: dict[str, Any]) -> None:
    assert dumps(value, sort_keys=True) == json.dumps(value, sort_keys=True)


@given(TEXTS)
def test_read_as_the_package_does(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError as error:
        with pytest.raises(ValueError, match=r".") as caught:
            loads(text)
        assert str(caught.value) == str(error)
    else:
        found = loads(text)
        assert found == expected or repr(found) == repr(expected)  # NaN is not itself


ALONE = """
import sys
from millefeuille.plainjson import loads
for text in ('{"a": 1 "b"}', '{"a": "', '[1 2]', '{a: 1}', '{"a" 1}', '"a\\nb"', '"\\\\x"', '[1,]'):
    for name in [name for name in sys.modules if name.partition(".")[0] == "json"]:
        del sys.modules[name]
    try:
        loads(text)
    except ValueError as error:
        print(error)
"""


def test_errors_are_told_where_the_package_is_not_loaded() -> None:
    # The C functions take their error from the package, and of an interpreter with tests it is always there.
    done = subprocess.run([sys.executable, "-I", "-c", ALONE], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 8
    assert "Expecting ',' delimiter: line 1 column 9 (char 8)" in done.stdout


@pytest.mark.usefixtures("ways")
class TestBothWays:
    """With the C functions, and where an interpreter has none."""

    def test_values(self) -> None:
        value = {"b": [1, 2.5, None, True, "ü\n"], "a": {}}
        assert dumps(value) == json.dumps(value)
        assert loads(f" \n{json.dumps(value)}\t") == value
        assert loads('"ü"'.encode()) == "ü"
        assert loads("-Infinity") == -math.inf

    @pytest.mark.parametrize("text", ["", " ", "{", "[1,]", "1 2", "{'a': 1}", '"\n"', "\ufeff1", "nul"])
    def test_no_json(self, text: str) -> None:
        with pytest.raises(ValueError, match="char"):
            loads(text)

    def test_not_text(self) -> None:
        with pytest.raises(UnicodeDecodeError):
            loads(b'"\xff"')
        with pytest.raises(TypeError, match="not JSON serializable"):
            dumps({"a": {1, 2}})

    def test_hooks(self) -> None:
        read = reader(object_pairs_hook=tuple, parse_int=lambda digits: f"i{digits}", parse_float=str)
        assert read('{"a": 1, "a": 2.50}') == (("a", "i1"), ("a", "2.50"))
        with pytest.raises(ZeroDivisionError):
            reader(parse_constant=lambda name: 1 / 0)("NaN")
