"""Who gets into a store's directory, and who was there before the store."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from millefeuille import files
from millefeuille.store.check import check
from millefeuille.store.disk import Disk, NotAStore
from millefeuille.store.privacy import NotOurs
from millefeuille.store.repair import repair
from millefeuille.store.store import Store

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="files of another user need root")
NOBODY = 65534


def mode(path: Path | str) -> int:
    return os.stat(path).st_mode & 0o7777


@pytest.mark.parametrize("before", [0o755, 0o777, 0o1777, 0o750, 0o701])
def test_a_directory_that_was_there_is_closed(before: int, tmp_path: Path) -> None:
    root = tmp_path / "store"
    root.mkdir()
    root.chmod(before)
    (root / "lost+found").mkdir()  # as in a new file system
    Disk(str(root)).create()
    assert mode(root) == 0o700


def test_a_directory_of_something_else_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "notes").touch()
    with pytest.raises(NotAStore):
        Disk(str(tmp_path)).create()
    assert mode(tmp_path) == 0o755


def test_a_directory_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(tmp_path).st_uid + 1)
    with pytest.raises(NotOurs, match=f"^{tmp_path}: belongs to another user$") as caught:
        Disk(str(tmp_path)).create()
    assert caught.value.advice
    assert (os.listdir(tmp_path), mode(tmp_path)) == ([], 0o777)


@needs_root
@pytest.mark.parametrize("name", ["volumes", "blobs", "journal", "lost+found"])
def test_what_another_user_put_there_is_refused(name: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    (tmp_path / name).mkdir()
    os.chown(tmp_path / name, NOBODY, NOBODY)
    with pytest.raises(NotOurs, match="belongs to another user") as caught:
        Disk(str(tmp_path)).create()
    assert f"{tmp_path}/{name}" in str(caught.value)
    assert (os.listdir(tmp_path), mode(tmp_path)) == ([name], 0o1777)


@needs_root
def test_what_another_user_puts_there_meanwhile_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o1777)

    def hook(act: str, subject: object) -> None:
        if act == "chmod":
            (tmp_path / "volumes").mkdir()
            os.chown(tmp_path / "volumes", NOBODY, NOBODY)

    monkeypatch.setattr(files, "hook", hook)
    with pytest.raises(NotOurs, match="volumes: belongs to another user"):
        Disk(str(tmp_path)).create()


@needs_root
def test_a_new_file_system_of_an_ordinary_user_is_none_of_another(tmp_path: Path) -> None:
    # Its owner gives the user its top, and leaves root's own directory in it.
    (tmp_path / "lost+found").mkdir(0o700)
    os.chown(tmp_path / "lost+found", NOBODY, NOBODY)
    tmp_path.chmod(0o755)
    Disk(str(tmp_path)).create()
    assert mode(tmp_path) == 0o700


def test_an_open_store_is_told_of_and_closed(store: Store) -> None:
    store.create()
    root = store.disk.root
    for before in (0o755, 0o710, 0o1777):
        os.chmod(root, before)
        store.create()  # it is a store already: nobody changes what its owner chose
        assert mode(root) == before
        (problem,) = (found := check(store)).problems
        assert (problem.kind, problem.subject) == ("root", root)
        assert problem.message == f"its mode is {before:04o} instead of 0700: other users get in"
        assert repair(store, found) == (f"closed {root} to other users",)
        assert (check(store).problems, mode(root)) == ((), 0o700)


def test_an_open_store_beside_other_things_is_told_of_only(store: Store) -> None:
    store.create()
    root = store.disk.root
    os.chmod(root, 0o755)
    for own in ("build", "run", "insiders", "index.json.tmp-17"):
        Path(root, own).mkdir()
    os.symlink("/nowhere", f"{root}/run-directory")
    Path(root, "website").mkdir()
    with store.writing():
        pass
    said = f"{root} stays open to other users: website in it is not the store's"
    assert repair(store, check(store)) == (said,)
    assert ([one.kind for one in check(store).problems], mode(root)) == (["root"], 0o755)
    Path(root, "website").rmdir()
    repair(store, check(store))
    assert mode(root) == 0o700
