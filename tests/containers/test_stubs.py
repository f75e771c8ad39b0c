"""Places for mounts: made once, in place of what the image has there, and never outside of the root."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from millefeuille.containers import stubs
from millefeuille.runtime.inroot import UnsafePath

FILES = (".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    if os.geteuid() != 0:
        pytest.skip("what is made belongs to root")
    root = tmp_path / "root"
    root.mkdir()
    descriptor = os.open(root, os.O_PATH)
    yield descriptor, root
    os.close(descriptor)


def test_all_of_them_are_made(place: tuple[int, Path]) -> None:
    root, path = place
    stubs.make(root)
    found = {os.fsencode(each.relative_to(path)) for each in path.rglob("*")}
    assert found == (stubs.STUBS - {b"dev/mqueue"}) | {b"etc"}
    assert [(path / name).read_bytes() for name in FILES] == [b""] * len(FILES)
    assert stat.S_IMODE((path / "etc/hosts").stat().st_mode) == 0o755
    assert os.readlink(path / "etc/mtab") == "/proc/mounts"


def test_what_the_image_has_gives_way_but_not_what_it_leads_to(place: tuple[int, Path]) -> None:
    root, path = place
    for directory in ("etc", "dev/console"):
        (path / directory).mkdir(parents=True)
    (path / "etc/hostname").write_text("own")
    (path / "own").write_text("kept")
    os.symlink("/own", path / "etc/resolv.conf")
    os.symlink("nowhere", path / "etc/mtab")
    stubs.make(root)
    assert (path / "etc/hostname").read_text() == (path / "etc/resolv.conf").read_text() == ""
    assert not (path / "etc/resolv.conf").is_symlink() and (path / "own").read_text() == "kept"
    assert os.readlink(path / "etc/mtab") == "/proc/mounts"
    assert (path / "dev/console").is_dir()


def test_they_are_made_once(place: tuple[int, Path]) -> None:
    root, path = place
    stubs.make(root)
    (path / "etc/hosts").write_text("copied into the container")
    (path / "etc/hostname").unlink()
    stubs.make(root)
    assert (path / "etc/hosts").read_text() == "copied into the container"
    assert not (path / "etc/hostname").exists()


def test_links_lead_nowhere_else(place: tuple[int, Path]) -> None:
    root, path = place
    outside = path.parent / "outside"
    outside.mkdir()
    (outside / "hostname").write_text("not ours")
    os.symlink(outside, path / "etc")
    stubs.make(root)
    assert [each.name for each in outside.iterdir()] == ["hostname"]
    assert (outside / "hostname").read_text() == "not ours"
    assert (path / str(outside).lstrip("/") / "hostname").read_text() == ""


def test_a_root_without_room_is_left(place: tuple[int, Path]) -> None:
    root, path = place
    (path / "etc").write_text("a file")
    with pytest.raises(UnsafePath):
        stubs.make(root)
    stubs.offer(root)
    assert [each.name for each in path.iterdir()] == ["etc"]
