"""Filling new volumes from an image, which may be hostile, by processes that may be killed."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.killing import was_killed

from millefeuille import files
from millefeuille.volumes import filling
from millefeuille.volumes.volumes import Volumes

ACL = bytes.fromhex(
    "0200000001000600ffffffff020006000500000004000400ffffffff10000600ffffffff20000400ffffffff"
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="owners and devices need root")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "root" / "data" / "sub").mkdir(parents=True)
    descriptor = os.open(tmp_path / "root", os.O_PATH)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    return Path(Volumes(str(tmp_path / "volumes")).create("data").mountpoint)


@needs_root
def test_content_owner_and_mode_are_taken_over(tmp_path: Path, root: int, volume: Path) -> None:
    data = tmp_path / "root" / "data"
    (data / "tool").write_bytes(b"program")
    os.chown(data / "tool", 7, 8)
    (data / "tool").chmod(0o4751)
    os.utime(data / "tool", ns=(1, 1_000_000_007))
    os.link(data / "tool", data / "sub" / "again")
    os.setxattr(data / "tool", "user.note", b"kept")
    os.mkfifo(data / "pipe", 0o622)
    os.chown(data, 12, 13)
    os.setxattr(data, "system.posix_acl_access", ACL)
    os.setxattr(data, "user.note", b"of all")
    data.chmod(0o2770)
    assert filling.fill(str(volume.parent), root, "/data")
    tool = (volume / "tool").stat()
    assert (tool.st_uid, tool.st_gid, stat.S_IMODE(tool.st_mode), tool.st_mtime_ns) == (
        7, 8, 0o4751, 1_000_000_007,
    )  # fmt: skip
    assert tool.st_ino == (volume / "sub" / "again").stat().st_ino
    assert os.getxattr(volume / "tool", "user.note") == b"kept"
    assert stat.S_ISFIFO((volume / "pipe").stat().st_mode)
    top = volume.stat()
    assert (top.st_uid, top.st_gid, stat.S_IMODE(top.st_mode)) == (12, 13, 0o2770)
    for name in ("system.posix_acl_access", "user.note"):
        assert os.getxattr(volume, name) == os.getxattr(data, name)


@needs_root
def test_times_and_access_of_what_is_not_opened(tmp_path: Path, root: int, volume: Path) -> None:
    data = tmp_path / "root" / "data"
    (data / "link").symlink_to("nowhere")
    os.mkfifo(data / "pipe")
    os.mknod(data / "null", 0o020666, os.makedev(1, 3))
    for name in ("pipe", "null"):
        os.setxattr(data / name, "system.posix_acl_access", ACL)
    for name in ("link", "pipe", "null"):
        os.utime(data / name, ns=(1, 1_000_000_007), follow_symlinks=False)
    assert filling.fill(str(volume.parent), root, "/data")
    assert [(volume / name).lstat().st_mtime_ns for name in ("link", "pipe", "null")] == [1_000_000_007] * 3
    for name in ("pipe", "null"):
        assert os.getxattr(volume / name, "system.posix_acl_access") == ACL
        assert (volume / name).lstat().st_mode == (data / name).lstat().st_mode


@needs_root
def test_no_list_of_access_changes_a_mode(
    tmp_path: Path, root: int, volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "root" / "data"
    (data / "key").write_text("secret")
    (data / "key").chmod(0o4600)
    os.mkfifo(data / "pipe", 0o600)
    data.chmod(0o700)
    allowing = bytes.fromhex(
        "0200000001000700ffffffff02000700e803000004000500ffffffff10000700ffffffff20000500ffffffff"
    )
    # A file system that is made for reading alone need not keep mode and list in agreement.
    monkeypatch.setattr(os, "listxattr", lambda place: ["system.posix_acl_access"])
    monkeypatch.setattr(os, "getxattr", lambda place, name: allowing)
    assert filling.fill(str(volume.parent), root, "/data")
    for place, mode in ((volume, 0o700), (volume / "key", 0o4600), (volume / "pipe", 0o600)):
        assert stat.S_IMODE(place.stat().st_mode) == mode, place


def test_links_are_copied_and_never_followed(tmp_path: Path, root: int, volume: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("secret")
    data = tmp_path / "root" / "data"
    (data / "file").symlink_to(tmp_path / "secret" / "key")
    (data / "directory").symlink_to(tmp_path / "secret")
    assert filling.fill(str(volume.parent), root, "/data")
    assert os.readlink(volume / "file") == str(tmp_path / "secret" / "key")
    assert (volume / "directory").is_symlink()


@pytest.mark.parametrize("way", ["absolute", "up"])
def test_a_place_that_links_out_of_the_image_is_looked_for_within(
    tmp_path: Path, root: int, volume: Path, way: str
) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key").write_text("secret")
    target = str(tmp_path / "secret") if way == "absolute" else "../../../.." + str(tmp_path / "secret")
    (tmp_path / "root" / "evil").symlink_to(target)
    assert not filling.fill(str(volume.parent), root, "/evil")
    assert os.listdir(volume) == []


def test_a_place_that_links_within_the_image_is_found(tmp_path: Path, root: int, volume: Path) -> None:
    (tmp_path / "root" / "data" / "file").touch()
    (tmp_path / "root" / "alias").symlink_to("/data")
    assert filling.fill(str(volume.parent), root, "/alias")
    assert sorted(os.listdir(volume)) == ["file", "sub"]


def test_a_volume_with_content_keeps_it(root: int, volume: Path) -> None:
    (volume / "mine").touch()
    assert not filling.fill(str(volume.parent), root, "/data")
    assert os.listdir(volume) == ["mine"]


def test_nothing_at_the_place_is_nothing_to_take(root: int, volume: Path) -> None:
    assert not filling.fill(str(volume.parent), root, "/nope")
    assert os.listdir(volume) == []


@pytest.mark.parametrize("place", ["/data/file", "/data/file/below"])
def test_a_file_at_the_place_is_refused_unless_the_volume_has_content(
    tmp_path: Path, root: int, volume: Path, place: str
) -> None:
    (tmp_path / "root" / "data" / "file").touch()
    with pytest.raises(filling.NoDirectory):
        filling.fill(str(volume.parent), root, place)
    assert os.listdir(volume) == []
    (volume / "mine").touch()
    assert not filling.fill(str(volume.parent), root, place)


@pytest.fixture(params=["same", "other"])
def bound(tmp_path: Path, volume: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A directory of the host's that a volume stands for, on the file system of the volumes or on another."""
    base = tmp_path / "bound" if request.param == "same" else Path(tempfile.mkdtemp(dir="/dev/shm"))
    if request.param == "other" and base.stat().st_dev == volume.stat().st_dev:
        base.rmdir()
        pytest.skip("/dev/shm is on the same file system")
    base.mkdir(exist_ok=True)
    yield base
    shutil.rmtree(base)


def test_a_bound_directory_is_filled(tmp_path: Path, root: int, volume: Path, bound: Path) -> None:
    data = tmp_path / "root" / "data"
    (data / "one").write_text("one")
    os.link(data / "one", data / "again")
    data.chmod(0o711)
    assert filling.fill(str(volume.parent), root, "/data", data=str(bound))
    assert sorted(os.listdir(bound)) == ["again", "one", "sub"] and os.listdir(volume) == []
    assert (bound / "one").stat().st_ino == (bound / "again").stat().st_ino
    assert stat.S_IMODE(bound.stat().st_mode) == 0o711
    assert not filling.fill(str(volume.parent), root, "/data", data=str(bound))
    assert sorted(os.listdir(volume.parent)) == ["_data", "lock", "volume.json"]


def test_a_kill_at_any_act_ends_in_the_whole_content_of_a_bound_directory(
    tmp_path: Path, root: int, volume: Path, bound: Path
) -> None:
    for name in ("one", "two", "sub/three"):
        (tmp_path / "root" / "data" / name).write_text(name)
    fill = partial(filling.fill, str(volume.parent), root, "/data", data=str(bound))
    kills, killed = 0, True
    while killed:
        killed = was_killed(fill, kills + 1)
        fill()
        there = [path for path in bound.rglob("*") if path.is_file()]
        found = {str(path.relative_to(bound)): path.read_text() for path in there}
        assert found == {"one": "one", "two": "two", "sub/three": "sub/three"}, f"killed at act {kills + 1}"
        assert sorted(os.listdir(bound)) == ["one", "sub", "two"]
        assert sorted(os.listdir(volume.parent)) == ["_data", "lock", "volume.json"]
        for path in there:
            path.unlink()
        (bound / "sub").rmdir()
        kills += killed
    assert kills > 10


@pytest.mark.parametrize("bound", ["other"], indirect=True)
def test_what_a_container_puts_in_the_way_is_not_taken_for_the_copy(
    tmp_path: Path, root: int, volume: Path, bound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "root" / "data" / "one").write_text("one")
    elsewhere = Path(tempfile.mkdtemp(dir="/dev/shm"))  # on the file system of the bound directory
    (elsewhere / "secret").touch()
    renamed = []

    def swap(act: str, subject: object) -> None:
        renamed.append(act == "rename" and subject == "one")
        if sum(renamed) == 2 and renamed[-1]:  # the first attempt was refused
            [copy] = bound.iterdir()
            copy.rename(bound / "moved")
            copy.symlink_to(elsewhere)

    monkeypatch.setattr(files, "hook", swap)
    try:
        filling.fill(str(volume.parent), root, "/data", data=str(bound))
        assert os.listdir(elsewhere) == ["secret"]
        assert not (bound / "secret").exists() and (bound / "one").read_text() == "one"
    finally:
        shutil.rmtree(elsewhere)


def test_a_kill_at_any_act_ends_in_the_whole_content(tmp_path: Path, root: int, volume: Path) -> None:
    data = tmp_path / "root" / "data"
    for name in ("one", "two", "sub/three"):
        (data / name).write_text(name)
    kills, killed = 0, True
    while killed:
        killed = was_killed(partial(filling.fill, str(volume.parent), root, "/data"), kills + 1)
        filling.fill(str(volume.parent), root, "/data")
        there = [path for path in volume.rglob("*") if path.is_file()]
        found = {str(path.relative_to(volume)): path.read_text() for path in there}
        assert found == {"one": "one", "two": "two", "sub/three": "sub/three"}, f"killed at act {kills + 1}"
        assert sorted(os.listdir(volume.parent)) == ["_data", "lock", "volume.json"]
        for path in there:
            path.unlink()
        (volume / "sub").rmdir()
        kills += killed
    assert kills > 10
