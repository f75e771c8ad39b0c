"""Diff: Docker's letters in Docker's order."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.layers.overlays import Overlay

from millefeuille.containers.diff import diff

pytestmark = pytest.mark.walk


@pytest.fixture
def overlay(tmp_path: Path) -> Overlay:
    """Not mounted yet, with something below."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    overlay = Overlay(tmp_path)
    for directory in ("etc/deep", "opt/app/lib", "tmp"):
        (overlay.lower / directory).mkdir(parents=True)
    for name in ("etc/passwd", "etc/group", "opt/app/lib/one", "opt/app/lib/two", "opt/app/three"):
        (overlay.lower / name).write_text(f"lower {name}")
        os.utime(overlay.lower / name, (5, 5))
    return overlay


def lines(overlay: Overlay) -> list[str]:
    with overlay.written() as written:
        return [f"{letter} {os.fsdecode(path)}" for letter, path in diff(written)]


def test_nothing(overlay: Overlay) -> None:
    with overlay:
        assert lines(overlay) == []


def test_dockers_own_example(overlay: Overlay) -> None:
    with overlay:
        Path(overlay.path, "new").write_text("hi")
        Path(overlay.path, "etc/group").unlink()
        assert lines(overlay) == ["C /etc", "D /etc/group", "A /new"]


def test_what_is_gone_comes_after_what_is_there(overlay: Overlay) -> None:
    with overlay:
        root = Path(overlay.path)
        (root / "etc/group").unlink()
        (root / "etc/passwd").write_text("changed")
        (root / "etc/deep/new").mkdir()
        (root / "etc/zzz").touch()
        assert lines(overlay) == [
            "C /etc", "C /etc/deep", "A /etc/deep/new", "C /etc/passwd", "A /etc/zzz", "D /etc/group",
        ]  # fmt: skip


def test_a_directory_that_was_only_touched_is_no_difference(overlay: Overlay) -> None:
    with overlay:
        os.utime(f"{overlay.path}/etc/deep")
        assert lines(overlay) == []
        os.chmod(f"{overlay.path}/etc/deep", 0o700)
        assert lines(overlay) == ["C /etc", "C /etc/deep"]


def test_a_file_written_anew_with_the_same_size_and_time_is_no_difference(overlay: Overlay) -> None:
    with overlay:
        path = f"{overlay.path}/etc/passwd"
        with open(path, "r+") as file:
            file.write("LOWER")
        assert lines(overlay) == ["C /etc", "C /etc/passwd"]
        os.utime(path, ns=(0, 5_000_000_007))  # Docker takes a time without a fraction for the same second
        assert lines(overlay) == []
        os.setxattr(path, "security.capability", bytes.fromhex("0100000200000000000000000000000000000000"))
        assert lines(overlay) == ["C /etc", "C /etc/passwd"]


def test_a_directory_made_anew_is_compared_with_the_one_below(overlay: Overlay) -> None:
    with overlay:
        root = Path(overlay.path)
        shutil.rmtree(root / "opt/app")
        (root / "opt/app/lib").mkdir(parents=True)
        (root / "opt/app/lib/one").write_text("lower opt/app/lib/one")
        os.utime(root / "opt/app/lib/one", (5, 5))
        (root / "opt/app/lib/new").touch()
        assert lines(overlay) == [
            "C /opt", "C /opt/app", "C /opt/app/lib", "A /opt/app/lib/new", "D /opt/app/lib/two",
            "D /opt/app/three",
        ]  # fmt: skip


def test_what_the_engine_made_for_mounts_is_not_told(overlay: Overlay) -> None:
    with overlay:
        root = Path(overlay.path)
        (root / "etc/hosts").touch()
        (root / "proc").mkdir()
        (root / "dev/pts").mkdir(parents=True)
        assert lines(overlay) == []
        (root / "data").mkdir()  # a volume's place is told, as Docker does
        assert lines(overlay) == ["A /data"]


def test_a_root_on_nothing(tmp_path: Path) -> None:
    overlay = Overlay(tmp_path)
    (overlay.upper / "a").mkdir()
    (overlay.upper / "a/b").touch()
    assert lines(overlay) == ["A /a", "A /a/b"]
