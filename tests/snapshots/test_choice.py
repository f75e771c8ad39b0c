"""Which driver, and why: tried on real file systems, remembered for a boot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from millefeuille import kernel
from millefeuille.snapshots import attach, choice
from millefeuille.snapshots.attach import NoUpper
from millefeuille.snapshots.choice import Choice, NoDriver, UnknownDriver, choose
from millefeuille.snapshots.overlay.marks import marks
from millefeuille.snapshots.overlay.probe import probe

pytestmark = pytest.mark.walk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A directory for files, emptied again by whoever tries something in it."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    yield disk
    assert os.listdir(disk) == []


@pytest.fixture
def without_erofs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that has no EROFS."""
    fsopen = kernel.fsopen

    def older(type: str) -> int:
        if type == "erofs":
            raise OSError(19, "No such device", "fsopen")
        return fsopen(type)

    monkeypatch.setattr(kernel, "fsopen", older)


def test_erofs_where_it_can_be_had(disk: Path, tmp_path: Path) -> None:
    chosen = choose(str(disk), str(tmp_path / "memory"))
    assert chosen.driver == "erofs"
    assert chosen.reason in ("the kernel mounts files directly", "the kernel mounts loop devices only, here")


def test_extraction_where_it_cannot(disk: Path, tmp_path: Path, without_erofs: None) -> None:
    chosen = choose(str(disk), str(tmp_path / "memory"))
    assert chosen.driver == "overlay"
    assert chosen.reason.startswith("layers are extracted (EROFS: mount chain ")
    assert "No such device" in chosen.reason


def test_what_is_asked_for(disk: Path, tmp_path: Path) -> None:
    memory = str(tmp_path / "memory")
    for driver in ("overlay", "erofs"):
        chosen = choose(str(disk), memory, driver)
        assert chosen.driver == driver
        assert chosen.reason.endswith(", as asked for")
    with pytest.raises(UnknownDriver, match="unknown snapshotter 'btrfs'"):
        choose(str(disk), memory, "btrfs")


def test_asked_for_and_not_to_be_had(disk: Path, tmp_path: Path, without_erofs: None) -> None:
    with pytest.raises(NoDriver, match=r"no way to mount images below .*EROFS: .*No such device"):
        choose(str(disk), str(tmp_path / "memory"), "erofs")


def test_neither_works(disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(type: str) -> int:
        raise PermissionError(1, "Operation not permitted", "fsopen")

    monkeypatch.setattr(kernel, "fsopen", refuse)
    with pytest.raises(NoDriver, match=r"EROFS: .*not permitted; overlay: .*not permitted"):
        choose(str(disk), str(tmp_path / "memory"))
    assert not (tmp_path / "memory").exists()


def test_tried_once_a_boot(disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = tmp_path / "run/store/memory"
    first = choose(str(disk), str(memory))
    monkeypatch.setattr(choice, "_tried", lambda directory, wanted: Choice(driver="overlay", reason="again"))
    assert choose(str(disk), str(memory)) == first
    assert choose(str(disk), str(memory), "overlay").reason == "again", "another question"
    assert choose(str(disk), str(memory)).reason == "again"
    memory.write_text("no answer")
    assert choose(str(disk), str(memory)).reason == "again"
    monkeypatch.setattr(choice, "boot", lambda: "another")
    monkeypatch.setattr(choice, "_tried", lambda directory, wanted: Choice(driver="erofs", reason="third"))
    assert choose(str(disk), str(memory)).reason == "third"


def test_in_memory_and_on_an_overlay(disk: Path, tmp_path: Path) -> None:
    descriptor = attach.detached("tmpfs", (("source", "tmpfs"), ("size", "4m")))
    kernel.move_mount(descriptor, str(disk))
    os.close(descriptor)
    try:
        backing = "loop" if os.path.exists("/dev/loop-control") else None
        assert choose(str(disk), str(tmp_path / "memory")).driver == ("erofs" if backing else "overlay")
        assert os.listdir(disk) == []
    finally:
        kernel.unmount(str(disk), detach=True)


@pytest.fixture
def on_overlay(tmp_path: Path) -> Iterator[Path]:
    """A directory on an overlay, as a container without a volume has it."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    for name in ("lower", "upper", "work", "shown"):
        (tmp_path / name).mkdir()
    options = [("source", "overlay"), ("lowerdir", str(tmp_path / "lower"))]
    options += [("upperdir", str(tmp_path / "upper")), ("workdir", str(tmp_path / "work"))]
    descriptor = attach.detached("overlay", options)
    kernel.move_mount(descriptor, str(tmp_path / "shown"))
    os.close(descriptor)
    yield tmp_path / "shown"
    kernel.unmount(str(tmp_path / "shown"), detach=True)


def test_no_changes_on_an_overlay(on_overlay: Path, tmp_path: Path) -> None:
    found = probe(str(on_overlay), marks())
    assert isinstance(found, NoUpper)
    assert str(found).startswith(
        f"mount overlay: overlayfs cannot keep what a container changes on the file system of {on_overlay}/"
    )
    with pytest.raises(NoDriver, match="no way to mount images below") as caught:
        choose(str(on_overlay), str(tmp_path / "memory"), "overlay")
    assert caught.value.advice == found.advice
    assert found.advice is not None and "`--root`" in found.advice
    assert os.listdir(on_overlay) == []


def test_the_place_is_named_where_its_path_was_not_taken(on_overlay: Path) -> None:
    place = on_overlay / "a\\b"
    place.mkdir()
    found = probe(str(place), marks())
    assert isinstance(found, NoUpper)
    assert f" on the file system of {place}/probe-" in str(found)
