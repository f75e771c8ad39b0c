from __future__ import annotations

import os
from pathlib import Path

import pytest

from millefeuille.engine.place import run_directory
from millefeuille.engine.rundirectory import RunDirectoryDenied, prepared
from millefeuille.settings import Settings, settle

USER = 1000


def settings(tmp_path: Path, **environment: str) -> Settings:
    return settle(environment, uid=os.getuid() or USER, home=str(tmp_path), root=str(tmp_path / "store"))


@pytest.fixture
def link(tmp_path: Path) -> Path:
    """Where a store remembers its run directory."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store/oci-layout").touch()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    return tmp_path / "store/run-directory"


def test_the_first_directory_is_remembered(tmp_path: Path, link: Path) -> None:
    made = prepared(settings(tmp_path, XDG_RUNTIME_DIR=f"{tmp_path}/one"))
    assert os.path.isdir(run_directory(made))
    assert os.readlink(link) == made.run == f"{tmp_path}/one/millefeuille"


def test_who_chose_at_the_same_time_goes_by_what_is_remembered(tmp_path: Path, link: Path) -> None:
    other = settings(tmp_path, XDG_RUNTIME_DIR=f"{tmp_path}/two")
    first = prepared(settings(tmp_path, XDG_RUNTIME_DIR=f"{tmp_path}/one"))
    assert prepared(other).run == first.run


def test_one_that_is_gone_is_replaced(tmp_path: Path, link: Path) -> None:
    link.symlink_to(tmp_path / "gone")
    made = prepared(settings(tmp_path, XDG_RUNTIME_DIR=f"{tmp_path}/two"))
    assert os.readlink(link) == made.run == f"{tmp_path}/two/millefeuille"


def test_what_is_not_remembered(tmp_path: Path, link: Path) -> None:
    prepared(settings(tmp_path, MILLE_RUN=f"{tmp_path}/one"))
    assert not link.is_symlink()
    (tmp_path / "store/oci-layout").unlink()  # no store yet
    prepared(settings(tmp_path, XDG_RUNTIME_DIR=f"{tmp_path}/one"))
    assert not link.is_symlink()


def test_the_variable_is_named(tmp_path: Path, link: Path) -> None:
    with pytest.raises(RunDirectoryDenied) as raised:
        prepared(settings(tmp_path, XDG_RUNTIME_DIR=f"{tmp_path}/no"))
    directory = f"{tmp_path}/no"
    assert str(raised.value) == (
        f"XDG_RUNTIME_DIR={directory}: {directory}/millefeuille: no such file or directory"
    )
    with pytest.raises(FileNotFoundError):
        prepared(settings(tmp_path, MILLE_RUN=f"{tmp_path}/no/run"))
