"""Files of environment variables and labels, as docker 28.2.2 reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from millefeuille.docker.creation.error import InvalidOption
from millefeuille.faces.cli.container.variables import lines

LONGEST = b"A=" + b"x" * 65533


def test_as_long_as_a_line_may_be(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_bytes(LONGEST + b"\nB=1\n#\n\r\nC")
    assert lines([str(path)]) == [LONGEST.decode(), "B=1"]
    path.write_bytes(LONGEST)
    assert lines([str(path)], {"C": "3"}.get) == [LONGEST.decode()]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (LONGEST + b"x", "bufio.Scanner: token too long"),
        (LONGEST + b"\r\nB=1\n", "bufio.Scanner: token too long"),
        (b"#" * 70000 + b"\n", "bufio.Scanner: token too long"),
        (b"A B=1\n" + LONGEST + b"x", "variable 'A B' contains whitespaces"),
        (b"A B=1", "variable 'A B' contains whitespaces"),
        (b"=1", "no variable name on line '=1'"),
        (b"\xff=1", "invalid utf8 bytes at line 1: [255 61 49]"),
    ],
)
def test_each_is_called_an_env_file(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "labels"
    path.write_bytes(content)
    with pytest.raises(InvalidOption) as refused:
        lines([str(path)])
    assert str(refused.value) == f"invalid env file ({path}): {said}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption, match=f"open {tmp_path}/env: no such file or directory"):
        lines([f"{tmp_path}/env"])


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidOption) as refused:
        lines([str(tmp_path)])
    assert str(refused.value) == f"invalid env file ({tmp_path}): read {tmp_path}: is a directory"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"B=x\0y", "environment variable value can't contain null(\\x00): \"B=x\\x00y\""),
        (b"A\0B=1", "environment variable name can't contain null(\\x00): \"A\\x00B=1\""),
    ],
)
def test_no_variable_holds_a_null(tmp_path: Path, line: bytes, said: str) -> None:
    path = tmp_path / "env"
    path.write_bytes(b"#\0\n" + line)
    with pytest.raises(InvalidOption) as refused:
        lines([str(path)], {}.get)
    assert str(refused.value) == f"invalid env file ({path}): {said}"
    assert lines([str(path)]) == [line.decode()]  # a label may
