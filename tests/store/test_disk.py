from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from millefeuille import files
from millefeuille.store.disk import BALLAST, LAYOUT, Disk, NotAStore, StoreDenied


def test_a_new_store_is_private(tmp_path: Path) -> None:
    os.umask(os.umask(0))
    disk = Disk(str(tmp_path / "new" / "store"))
    assert not disk.exists()
    disk.create()
    assert disk.exists()
    for path in Path(disk.root).rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert os.stat(disk.root).st_mode & 0o777 == 0o700
    assert os.stat(tmp_path / "new").st_mode & 0o777 == 0o755
    assert Path(disk.root, "oci-layout").read_bytes() == b'{"imageLayoutVersion":"1.0.0"}'


@pytest.mark.parametrize("stranger", ["notes.txt", "blobs.old", "tmp-1", ".hidden"])
def test_somebody_elses_directory_is_left_alone(stranger: str, tmp_path: Path) -> None:
    (tmp_path / stranger).write_text("mine")
    with pytest.raises(NotAStore) as caught:
        Disk(str(tmp_path)).create()
    assert str(tmp_path) in str(caught.value) and caught.value.advice
    assert os.listdir(tmp_path) == [stranger]


@pytest.mark.parametrize("rest", ["oci-layout.tmp-17", "db.sqlite.new-17", "blobs", "ballast", "db.lock"])
def test_a_half_made_store_is_finished(rest: str, tmp_path: Path) -> None:
    (tmp_path / rest).mkdir() if rest == "blobs" else (tmp_path / rest).write_bytes(b"")
    Disk(str(tmp_path)).create()
    assert (tmp_path / "oci-layout").exists()
    assert (tmp_path / "ballast").stat().st_size == BALLAST


def test_a_sweep_of_another_process_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_place, swept = files.put_in_place, []

    def put_in_place(temporary: str, path: str, *, lasting: bool = True) -> None:
        if len(swept) < 2:
            swept.append(temporary)
            os.unlink(temporary)
        in_place(temporary, path, lasting=lasting)

    monkeypatch.setattr(files, "put_in_place", put_in_place)
    Disk(str(tmp_path)).create()
    assert (tmp_path / "oci-layout").read_bytes() == LAYOUT
    assert len(swept) == 2
    (tmp_path / "oci-layout").unlink()
    def never(temporary: str, path: str, *, lasting: bool) -> None:
        os.rename(temporary + ".gone", path)

    monkeypatch.setattr(files, "put_in_place", never)
    with pytest.raises(FileNotFoundError):
        Disk(str(tmp_path)).create()


def test_a_parent_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Not a directory"):
        Disk(str(tmp_path / "file" / "store")).create()


@pytest.mark.parametrize("number", [errno.ENOENT, errno.ENOTDIR])
def test_what_is_absent(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not _seen(tmp_path, monkeypatch, number)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_a_store_that_must_not_be_entered_is_not_taken_for_none(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreDenied, match=f"^the store {tmp_path}: permission denied$"):
        _seen(tmp_path, monkeypatch, number)


def _seen(root: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> bool:
    """Whether there is a store, where looking fails so; root may look everywhere."""
    true = os.stat

    def stat(path: str, **more: bool) -> os.stat_result:
        if isinstance(path, str) and path.startswith(f"{root}/"):
            raise OSError(number, os.strerror(number), path)
        return true(path, **more)

    monkeypatch.setattr(os, "stat", stat)
    return Disk(str(root)).exists()
