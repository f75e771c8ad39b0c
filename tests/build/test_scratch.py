"""Directories that live as long as the build that made them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.killing import was_killed

from millefeuille.build.scratch import scratch


def use(parent: Path) -> None:
    with scratch(str(parent)) as directory:
        Path(directory, "sub").mkdir()
        Path(directory, "sub/file").touch()


def test_nothing_is_left(tmp_path: Path) -> None:
    use(tmp_path / "scratch")
    assert os.listdir(tmp_path / "scratch") == []


def test_the_next_one_removes_what_killed_ones_left(tmp_path: Path) -> None:
    parent, act = tmp_path / "scratch", 1
    while was_killed(lambda: use(parent), act):
        use(parent)
        assert os.listdir(parent) == [], act
        act += 1
    assert act > 8


def test_many_at_once_leave_each_other_alone(tmp_path: Path) -> None:
    def often(_: int) -> None:
        for _ in range(60):
            use(tmp_path / "scratch")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(often, range(4)))
    assert os.listdir(tmp_path / "scratch") == []
