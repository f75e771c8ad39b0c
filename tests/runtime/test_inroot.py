"""Paths made inside a root: never outside, whatever links there are."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.runtime.inroot import UnsafePath, make_directory, make_file


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    root = tmp_path / "root"
    root.mkdir()
    descriptor = os.open(root, os.O_PATH)
    yield descriptor, root
    os.close(descriptor)


def test_directories_and_files(place: tuple[int, Path]) -> None:
    root, path = place
    assert make_directory(root, "/a/b/../c//./d") == "/a/c/d"
    assert make_directory(root, "/a/c/d") == "/a/c/d"
    assert make_file(root, "a/new/f") == "/a/new/f"
    assert make_file(root, "a/new/f") == "/a/new/f"
    assert (path / "a/new/f").read_bytes() == b""
    assert (path / "a/c/d").stat().st_mode & 0o7777 == 0o755
    assert make_directory(root, "/") == "/"
    assert make_directory(root, "") == "/"


def test_links(place: tuple[int, Path], tmp_path: Path) -> None:
    root, path = place
    (path / "absolute").symlink_to(tmp_path / "outside")
    (path / "up").symlink_to("../../../../outside")
    (path / "dangling").symlink_to("to/be/made")
    assert make_directory(root, "/absolute/x") == f"{tmp_path}/outside/x"
    assert make_directory(root, "/up/x") == "/outside/x"
    assert make_file(root, "/dangling") == "/to/be/made"
    assert make_directory(root, "/../../up/../y") == "/y"
    assert not (tmp_path / "outside").exists()


def test_what_cannot_be_made(place: tuple[int, Path]) -> None:
    root, path = place
    (path / "file").touch()
    (path / "one").symlink_to("two")
    (path / "two").symlink_to("one")
    for wrong in ("/file/x", "/one", "/one/x", "/a\0b", "/" + "x" * 256):
        with pytest.raises(UnsafePath):
            make_directory(root, wrong)
    # It is there, and that it is a file is the caller's to say.
    assert make_directory(root, "/file") == "/file"


PARTS = st.sampled_from(["a", "b", "..", ".", "l", "m", ""])
PATHS = st.lists(PARTS, max_size=6).map("/".join)


@given(PATHS, PATHS, PATHS)
def test_nothing_is_made_outside(path: str, first: str, second: str) -> None:
    with tempfile.TemporaryDirectory() as top:
        inner = Path(top, "deep/er/root")
        inner.mkdir(parents=True)
        for name, target in (("l", first), ("m", "/" + second)):
            if target:
                (inner / name).symlink_to(target)
        before = sorted(Path(top).rglob("*"), key=str)
        root = os.open(inner, os.O_PATH)
        try:
            real = make_directory(root, path)
            assert (inner / real.lstrip("/")).is_dir()
            assert os.path.realpath(f"{inner}{real}") == f"{inner}{real}".rstrip("/")
        except UnsafePath:
            pass
        finally:
            os.close(root)
        made = set(map(str, Path(top).rglob("*"))) - set(map(str, before))
        assert all(name.startswith(f"{inner}/") for name in made)
