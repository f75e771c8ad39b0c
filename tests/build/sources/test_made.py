"""Files that the build made, as a source; and that one file is one thing, wherever it comes from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.build.sources.trees import make

from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.made import MadeFile, MadeSource
from millefeuille.build.sources.source import NotFound


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"from a file")
    source = MadeSource([
        MadeFile(name="EOF", content=b"text"),
        MadeFile(name="x", content=str(tmp_path / "x"), mode=0o600, mtime=7),
    ])  # fmt: skip
    (match,) = source.match("EOF")
    assert (match.name, match.is_directory, match.items[0].entry.size) == (b"EOF", False, 4)
    assert source.open(match.items[0]) == b"text"
    (match,) = source.match("x")
    assert match.items[0].entry._replace(path=b"")[2:8] == (0o600, 0, 0, 11, 7, 0)
    descriptor = source.open(match.items[0])
    assert isinstance(descriptor, int)
    assert os.read(descriptor, 100) == b"from a file"
    os.close(descriptor)
    with pytest.raises(NotFound):
        source.match("y")
    assert list(source.match("x", exclude=["x"])) == []


def test_identity(tmp_path: Path) -> None:
    root = make(tmp_path / "context", "a/x", "l -> a/x")
    (root / "a/x").chmod(0o644)
    made = MadeSource([MadeFile(name="x", content=b"a/x"), MadeFile(name="y", content=b"a/x", mtime=5)])
    with DirectorySource(str(root)) as source:
        assert made.digest(made.match("x")) == source.digest(source.match("a/x"))
    assert made.digest(made.match("x")) != made.digest(made.match("y"))
    again = MadeSource([MadeFile(name="x", content=b"a/x", mode=0o600)])
    assert again.digest(again.match("x")) != made.digest(made.match("x"))
    assert again.digest(again.match("x"), mode=False) == made.digest(made.match("x"), mode=False)
