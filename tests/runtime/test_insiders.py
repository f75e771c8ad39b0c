"""The list of an ordinary user's commands in its namespace."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from millefeuille.runtime import insiders


@pytest.fixture(autouse=True)
def no_system_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insiders, "_place", lambda root: root)


def test_who_met_is_found(tmp_path: Path) -> None:
    with insiders.met(str(tmp_path)) as others:
        assert others == ()
    with insiders.met(str(tmp_path)) as others:
        assert others == (os.getpid(),)


def test_who_is_gone_or_is_another_by_now_is_not(tmp_path: Path) -> None:
    (tmp_path / "insiders").write_text(f"1 1\n{os.getpid()} 5\n4194304 9\nx\n\n../1 2\n")
    with insiders.met(str(tmp_path)) as others:
        assert others == ()
    [line] = (tmp_path / "insiders").read_text().splitlines()
    assert line.split()[0] == str(os.getpid())


def test_who_did_not_get_in_is_not(tmp_path: Path) -> None:
    with pytest.raises(KeyError), insiders.met(str(tmp_path)):
        raise KeyError
    with insiders.met(str(tmp_path)) as others:
        assert others == ()


def test_a_list_that_cannot_be_had_hinders_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with insiders.met(str(tmp_path / "none")) as others:
        assert others == ()
    monkeypatch.setattr(insiders, "_PATIENCE", 0.01)
    with open(tmp_path / "insiders", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with insiders.met(str(tmp_path)) as others:
            assert others == ()
    assert (tmp_path / "insiders").read_text() == ""
