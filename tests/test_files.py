"""Trees of any depth, removed and looked through without following a link; locks, and who has them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from tests.forking import fork, outliving

from millefeuille import files
from millefeuille.files import TreeMoved

DEPTH = 2500  # deeper than a path is long, than Python recurses, and than descriptors last


def dig(top: Path, depth: int = DEPTH) -> None:
    """Directories within each other, a file in each."""
    here = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
        os.mkdir("directory", dir_fd=here)
        below = os.open("directory", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def test_a_deep_tree(tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    dig(top)
    kinds = [stat.S_ISDIR(status.st_mode) for status in files.inodes(str(top))]
    assert (kinds.count(True), kinds.count(False)) == (DEPTH + 1, DEPTH)
    files.remove_tree(str(top))
    assert os.listdir(tmp_path) == []
    files.remove_tree(str(top))
    assert list(files.inodes(str(top))) == []


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside, top = tmp_path / "outside", tmp_path / "top"
    outside.mkdir()
    (outside / "keep").touch()
    (top / "d").mkdir(parents=True)
    (top / "d/link").symlink_to(outside)
    (top / "link").symlink_to(outside)
    assert len(list(files.inodes(str(top)))) == 4
    files.remove_tree(str(top))
    assert os.listdir(tmp_path) == ["outside"]
    (tmp_path / "link").symlink_to(outside)
    files.remove_tree(str(tmp_path / "link"))
    assert os.listdir(outside) == ["keep"]


def test_a_tree_that_is_moved_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top, other = tmp_path / "top", tmp_path / "other"
    dig_places = [top / "a/b", other]
    for place in dig_places:
        place.mkdir(parents=True)
    (top / "a/b/file").touch()
    (other / "keep").touch()

    def moves(name: str, subject: object) -> None:
        if name == "unlink" and (top / "a/b").exists():
            (top / "a/b").rename(other / "b")

    monkeypatch.setattr(files, "hook", moves)
    with pytest.raises(TreeMoved):
        files.remove_tree(str(top))
    assert (other / "keep").exists()


def test_a_lock_is_not_left_with_who_was_forked_meanwhile(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    with outliving() as children:
        with files.locked(path, "the test"):
            fork(children)
        with files.locked(path, "the test", timeout=0):
            pass


@pytest.mark.parametrize("act", ["create", "write", "fsync", "rename", "fsync-directory"])
def test_a_file_that_cannot_be_replaced_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    path = str(tmp_path / "told.json")

    def refuse(name: str, subject: object) -> None:
        if name == act:
            raise OSError(28, "No space left on device", *([subject] if isinstance(subject, str) else []))

    monkeypatch.setattr(files, "hook", refuse)
    with pytest.raises(OSError, match="No space left") as caught:
        files.replace_file(path, b"{}")
    assert caught.value.filename == (str(tmp_path) if act == "fsync-directory" else path)
