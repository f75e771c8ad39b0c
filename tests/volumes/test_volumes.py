"""Volumes: made, found, removed, counted, whatever process dies meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from tests.killing import was_killed

from millefeuille import files
from millefeuille.errors import Unnamed
from millefeuille.volumes.volume import BadVolumeName, BadVolumeOption, UnknownDriver
from millefeuille.volumes.volumes import VolumeInUse, VolumeNotFound, Volumes


@pytest.fixture
def volumes(tmp_path: Path) -> Volumes:
    return Volumes(str(tmp_path / "volumes"))


def test_a_volume_is_made_once(volumes: Volumes) -> None:
    made = volumes.create("data", labels={"a": "b"})
    Path(made.mountpoint, "kept").touch()
    assert volumes.create("data") == made
    assert volumes.get("data") == made
    assert os.listdir(made.mountpoint) == ["kept"]
    assert Path(made.mountpoint).stat().st_mode & 0o777 == 0o755


def test_without_a_name_it_gets_one_and_a_mark(volumes: Volumes) -> None:
    made = volumes.create()
    assert len(made.name) == 64
    assert made.anonymous
    assert not volumes.create("data").anonymous


def test_the_size_of_a_volume_counts_each_file_once_however_deep_it_lies(
    volumes: Volumes, tmp_path: Path
) -> None:
    made = volumes.create("data")
    Path(made.mountpoint, "f").write_bytes(b"x" * 10)
    Path(made.mountpoint, "g").hardlink_to(Path(made.mountpoint, "f"))
    deep = os.open(made.mountpoint, os.O_RDONLY)
    for number in range(1200):
        name = "d" * (200 if number < 40 else 1)  # deeper than calls go, and longer than a path may be
        os.mkdir(name, dir_fd=deep)
        below = os.open(name, os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = below
    leaf = os.open("leaf", os.O_WRONLY | os.O_CREAT, dir_fd=deep)
    os.write(leaf, b"y" * 7)
    os.close(leaf)
    os.close(deep)
    try:
        assert volumes.size(made) == 17
    finally:
        volumes.remove("data")  # what cleans up behind tests does not go so deep


def test_a_volume_whose_content_lies_elsewhere_has_a_size(volumes: Volumes, tmp_path: Path) -> None:
    made = volumes.create("data")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "f").write_bytes(b"x" * 10)
    Path(made.mountpoint).rmdir()
    assert volumes.size(made) == 0
    Path(made.mountpoint).symlink_to(tmp_path / "elsewhere")
    assert volumes.size(made) == 10


def test_a_volume_in_which_directories_are_moved_about_has_a_size(
    volumes: Volumes, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = volumes.create("data")
    Path(made.mountpoint, "f").write_bytes(b"x" * 10)
    told: list[str] = []
    found = files.inodes

    def moved(path: str) -> Iterator[os.stat_result]:
        yield from found(path)
        told.append(path)
        raise files.TreeMoved("d: moved away while it was looked through")

    monkeypatch.setattr(files, "inodes", moved)
    assert volumes.size(made) == 10
    assert len(told) == 3


@pytest.mark.parametrize("name", ["a b", "/abs", "-x", ".new-1", "ü2", "a\n", "..", "a/b"])
def test_names_are_dockers(volumes: Volumes, name: str) -> None:
    with pytest.raises(BadVolumeName, match="includes invalid characters for a local volume name"):
        volumes.create(name)


@pytest.mark.parametrize("name", ["a" * 256, "é" * 128, "a" * 5000], ids=["ascii", "bytes", "path"])
def test_what_no_directory_can_be_called(volumes: Volumes, name: str) -> None:
    for act in (volumes.get, volumes.remove):
        with pytest.raises(VolumeNotFound, match=f"^get {name}: no such volume$"):
            act(name)
    with pytest.raises(BadVolumeName, match=r"^create .*(too long|invalid characters)"):
        volumes.create(name)


def test_the_longest_name(volumes: Volumes) -> None:
    assert volumes.create("a" * 255).name == "a" * 255


def test_one_letter_is_no_name(volumes: Volumes) -> None:
    with pytest.raises(BadVolumeName) as refused:
        volumes.create("a")
    assert str(refused.value) == (
        "create a: volume name is too short, names should be at least two alphanumeric characters"
    )


@pytest.mark.parametrize("name", ["nosuch", "..", "../volumes", ".new-1"])
def test_what_is_not_there_is_not_found(volumes: Volumes, name: str) -> None:
    volumes.create("data")
    with pytest.raises(Unnamed):
        volumes.get("")
    with pytest.raises(VolumeNotFound) as refused:
        volumes.get(name)
    assert str(refused.value) == f"get {name}: no such volume"
    with pytest.raises(VolumeNotFound):
        volumes.remove(name)
    assert [volume.name for volume in volumes.every()] == ["data"]


def test_a_volume_that_a_container_has_stays(volumes: Volumes) -> None:
    volumes.create("data")
    with pytest.raises(VolumeInUse) as refused:
        volumes.remove("data", users=["b" * 64, "a" * 64])
    assert str(refused.value) == f"remove data: volume is in use - [{'a' * 64}, {'b' * 64}]"
    volumes.remove("data")
    assert os.listdir(volumes.root) == []


def test_prune_takes_what_nobody_has_and_nobody_named(volumes: Volumes) -> None:
    used, unused = volumes.create(), volumes.create()
    volumes.create("named")
    Path(unused.mountpoint, "file").write_bytes(bytes(1000))
    os.link(f"{unused.mountpoint}/file", f"{unused.mountpoint}/again")
    assert volumes.prune({used.name}, lambda _: True) == ([unused.name], 1000)
    assert volumes.prune(set(), lambda volume: volume.name != used.name, named=True) == (["named"], 0)
    assert [volume.name for volume in volumes.every()] == [used.name]


def test_prune_leaves_volumes_with_options_of_their_driver(volumes: Volumes) -> None:
    volumes.create("memory", options={"type": "tmpfs", "device": "tmpfs"})
    volumes.create("plain")
    assert volumes.prune(set(), lambda _: True, named=True) == (["plain"], 0)
    assert [volume.name for volume in volumes.every()] == ["memory"]


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"foo": "bar"}, BadVolumeOption, 'create v2: invalid option: "foo"'),
        ({"type": "none"}, BadVolumeOption, 'create v2: missing required option: "device"'),
        ({"type": "tmpfs"}, BadVolumeOption, 'create v2: missing required option: "device"'),
        ({"type": "nfs", "device": ":/x"}, UnknownDriver, "create v2: volumes of type nfs are not supported"),
        (
            {"type": "none", "o": "bind", "device": "rel"}, BadVolumeOption,
            "create v2: the device of a bound volume must be an absolute path: rel",
        ),
    ],
)  # fmt: skip
def test_options_that_would_not_work_are_refused(
    volumes: Volumes, options: dict[str, str], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind) as refused:
        volumes.create("v2", options=options)
    assert str(refused.value) == words
    assert volumes.every() == []


def test_a_volume_may_be_a_directory_of_the_host_or_in_memory(volumes: Volumes, tmp_path: Path) -> None:
    bound = volumes.create("bound", options={"type": "none", "o": "bind", "device": str(tmp_path)})
    assert bound.source == str(tmp_path)
    memory = volumes.create("memory", options={"type": "tmpfs", "device": "tmpfs", "o": "size=1m,mode=700"})
    assert (memory.source, memory.memory_options) == ("", ("size=1m", "mode=700"))


@pytest.mark.parametrize("verb", ["create", "remove"])
def test_a_kill_at_any_act_leaves_the_volume_or_none(volumes: Volumes, verb: str) -> None:
    kills, killed = 0, True
    while killed:
        if verb == "remove":
            Path(volumes.create("data").mountpoint, "file").touch()
        killed = was_killed(partial(getattr(volumes, verb), "data"), kills + 1)
        volumes.sweep()
        names = [volume.name for volume in volumes.every()]
        assert names in ([], ["data"])
        assert os.path.isdir(volumes.root) is False or sorted(os.listdir(volumes.root)) == names
        if names:
            assert os.path.isdir(volumes.get("data").mountpoint)
            volumes.remove("data")
        kills += killed
    assert kills > 3
