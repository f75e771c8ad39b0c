"""What a container mounts, from Docker's ways to ask for it."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from millefeuille.containers.mounts import (
    BadMount,
    MountUnsupported,
    binds,
    check_volumes,
    fill_volumes,
    has_new_volumes,
    mount_points,
)
from millefeuille.containers.record import Container, MountPoint
from millefeuille.errors import NotFound
from millefeuille.oci.digest import Digest
from millefeuille.volumes.volume import BadVolumeName
from millefeuille.volumes.volumes import Volumes


@pytest.fixture
def volumes(tmp_path: Path) -> Volumes:
    return Volumes(str(tmp_path / "volumes"))


@pytest.mark.parametrize("place", ["/file", "/link"])
def test_a_volume_of_the_image_does_not_lie_over_a_file(volumes: Volumes, tmp_path: Path, place: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "file").write_text("x")
    (root / "link").symlink_to("/file")
    host: Any = SimpleNamespace(volumes=volumes, place=SimpleNamespace(rootfs=lambda id: f"/store/{id}"))
    descriptor = os.open(root, os.O_PATH | os.O_DIRECTORY)
    try:
        for target in (place, "/nothing"):
            [point] = mount_points(volumes, {"Volumes": {target: {}}}, {}, other)
            container: Any = SimpleNamespace(id="one", mounts=(point,))
            if target != place:
                check_volumes(host, container, descriptor)
                continue
            words = f"cannot mount volume over existing file, file exists /store/one{place}"
            with pytest.raises(BadMount, match=f"^{words}$"):
                check_volumes(host, container, descriptor)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("kind", "words", "filled"), [("none", "bind", True), ("none", "bind,ro", False), ("tmpfs", "", False)]
)
def test_a_bound_volume_gets_what_the_image_has(
    volumes: Volumes, tmp_path: Path, kind: str, words: str, filled: bool
) -> None:
    root, device = tmp_path / "root", tmp_path / "device"
    (root / "data").mkdir(parents=True)
    (root / "data" / "file").write_text("x")
    device.mkdir()
    volumes.create("bd", options={"type": kind, "o": words, "device": str(device)})
    [point] = mount_points(volumes, {}, {"Binds": ["bd:/data"]}, other)
    host: Any = SimpleNamespace(volumes=volumes, place=SimpleNamespace(rootfs=lambda id: f"/store/{id}"))
    container: Any = SimpleNamespace(id="one", mounts=(point,))
    descriptor = os.open(root, os.O_PATH | os.O_DIRECTORY)
    try:
        fill_volumes(host, container, descriptor)
    finally:
        os.close(descriptor)
    assert os.listdir(device) == ["file"] * filled
    assert os.listdir(volumes.get("bd").mountpoint) == []


def test_a_file_is_nothing_for_a_new_volume(volumes: Volumes, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    points = mount_points(volumes, {}, {"Binds": ["vol:/file"]}, other)
    host: Any = SimpleNamespace(volumes=volumes, place=SimpleNamespace(rootfs=lambda id: f"/store/{id}"))
    container: Any = SimpleNamespace(id="one", mounts=points)
    descriptor = os.open(tmp_path, os.O_PATH | os.O_DIRECTORY)
    try:
        with pytest.raises(BadMount, match=r"^source /store/one/file is not directory$"):
            fill_volumes(host, container, descriptor)
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("binds", "new"),
    [(["vol:/x"], True), (["vol:/x:nocopy"], False), (["full:/x"], False), (["/tmp:/x"], False), ([], False)],
)
def test_which_volumes_take_what_the_image_has(volumes: Volumes, binds: list[str], new: bool) -> None:
    Path(volumes.create("full").mountpoint, "file").touch()
    host: Any = SimpleNamespace(volumes=volumes)
    container: Any = SimpleNamespace(id="one", mounts=mount_points(volumes, {}, {"Binds": binds}, other))
    assert has_new_volumes(host, container) == new
    borrower: Any = SimpleNamespace(
        id="two", mounts=mount_points(volumes, {}, {"VolumesFrom": ["one"]}, lambda name: container)
    )
    assert not has_new_volumes(host, borrower)


def other(name: str) -> Container:
    """The one container that --volumes-from may name."""
    if name != "first":
        raise NotFound(f"No such container: {name}")
    mounts = (
        MountPoint(type="volume", target="/data", name="kept", source="/x"),
        MountPoint(type="bind", target="/host", source="/", read_only=True),
        MountPoint(type="tmpfs", target="/tmp"),
    )
    return Container(
        id="f" * 64, name="first", created="", image=Digest("sha256", "0" * 64), chain=None, layers=(),
        path="", args=(), platform="linux", config={}, host_config={}, mounts=mounts,
    )  # fmt: skip


def points(volumes: Volumes, config: Any = None, **host_config: Any) -> dict[str, MountPoint]:
    found = mount_points(volumes, {"Volumes": config}, host_config, other)
    return {point.target: point for point in found}


def specified(volumes: Volumes, *mounts: MountPoint) -> dict[str, list[str]]:
    """The mount options that the runtime gets, by target."""
    made = binds(SimpleNamespace(volumes=volumes), SimpleNamespace(mounts=mounts))  # type: ignore[arg-type]  # no more is read
    return {mount["destination"]: mount["options"] for mount in made}


def test_a_bind(volumes: Volumes, tmp_path: Path) -> None:
    found = points(volumes, Binds=[f"{tmp_path}:/a/:ro", f"{tmp_path}/:/b:rslave"])
    assert found["/a"] == MountPoint(
        type="bind", target="/a", source=str(tmp_path), read_only=True, options=("ro",)
    )
    assert (found["/b"].source, found["/b"].propagation) == (str(tmp_path), "rslave")


def test_the_missing_source_of_a_bind_is_made(volumes: Volumes, tmp_path: Path) -> None:
    points(volumes, Binds=[f"{tmp_path}/new/deep:/a"])
    assert (tmp_path / "new" / "deep").is_dir()


@pytest.mark.parametrize("mask", [0, 0o077])
def test_directories_that_are_made_have_dockers_mode_whatever_the_umask(
    volumes: Volumes, tmp_path: Path, mask: int
) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o2770)
    before = os.umask(mask)
    try:
        points(volumes, Binds=[f"{tmp_path}/new/deep:/a", f"{tmp_path}/shared/new:/b"])
    finally:
        os.umask(before)
    paths = (tmp_path / path for path in ("new", "new/deep", "shared/new", "shared"))
    modes = [path.stat().st_mode & 0o7777 for path in paths]
    assert modes == [0o755, 0o755, 0o2755, 0o2770]


@pytest.mark.parametrize("mode", ["cached", "delegated", "ro,consistent", "z,cached"])
def test_how_consistent_a_bind_is_changes_nothing(volumes: Volumes, mode: str) -> None:
    found = points(volumes, Binds=[f"/:/a:{mode}", f"data:/b:{mode}"], VolumesFrom=["first:ro,cached"])
    assert [(found[at].options, found[at].read_only) for at in ("/a", "/b")] == [
        (tuple(mode.split(",")), "ro" in mode)
    ] * 2
    assert found["/data"].read_only


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"device": "tmpfs"}, ["rw"]),
        ({"device": "tmpfs", "o": "size=1m,noexec"}, ["rw", "size=1m", "noexec"]),
        ({"device": "tmpfs", "o": "rw,ro,uid=5"}, ["ro", "uid=5"]),
        ({"device": "tmpfs", "o": "ro,rw"}, ["rw"]),
    ],
)
def test_a_volume_in_memory_is_mounted_as_it_says(
    volumes: Volumes, options: dict[str, str], words: list[str]
) -> None:
    volumes.create("memory", options={"type": "tmpfs", **options})
    asked = points(volumes, Binds=["memory:/a", "memory:/b:ro"], Tmpfs={"/c": "exec"})
    found = specified(volumes, *asked.values())
    assert found["/a"] == words
    assert found["/b"] == ["ro", *words[1:]]
    assert found["/c"] == ["rw", "noexec", "nosuid", "nodev", "exec"]


def test_nobody_writes_to_a_volume_that_is_read_only_itself(volumes: Volumes, tmp_path: Path) -> None:
    device = {"type": "none", "device": str(tmp_path)}
    volumes.create("fixed", options={**device, "o": "bind,ro"})
    volumes.create("open", options={**device, "o": "ro,bind,rw"})
    asked = points(volumes, Binds=["fixed:/a", "fixed:/b:rw", "open:/c", "open:/d:ro"])
    found = specified(volumes, *asked.values())
    assert {at: words[1] for at, words in found.items()} == {"/a": "ro", "/b": "ro", "/c": "rw", "/d": "ro"}


def test_a_named_volume_is_made(volumes: Volumes) -> None:
    found = points(volumes, Binds=["data:/a:nocopy"])["/a"]
    assert (found.name, found.source, found.anonymous) == ("data", volumes.get("data").mountpoint, False)
    assert found.options == ("nocopy",)


def test_the_volumes_of_the_image_yield_to_all_else(volumes: Volumes, tmp_path: Path) -> None:
    found = points(
        volumes, {"/a": {}, "/b/": {}, "/data": {}}, Binds=[f"{tmp_path}:/a"], VolumesFrom=["first:ro"]
    )
    assert found["/a"].type == "bind"
    assert found["/b"].anonymous
    assert volumes.get(found["/b"].name).anonymous
    assert (found["/data"].name, found["/data"].read_only) == ("kept", True)
    assert found["/host"].read_only
    assert "/tmp" not in found


def test_what_is_asked_for_replaces_what_is_borrowed(volumes: Volumes) -> None:
    assert points(volumes, Binds=["mine:/data"], VolumesFrom=["first"])["/data"].name == "mine"


def test_structured_mounts(volumes: Volumes, tmp_path: Path) -> None:
    found = points(
        volumes,
        Mounts=[
            {"Type": "bind", "Source": str(tmp_path), "Target": "/a", "BindOptions": {"NonRecursive": True}},
            {"Type": "volume", "Target": "/b", "ReadOnly": True, "VolumeOptions": {"Labels": {"k": "v"}}},
            {"Type": "tmpfs", "Target": "/c", "TmpfsOptions": {"SizeBytes": 4096, "Mode": 0o700}},
        ],
        Tmpfs={"/d": "size=1m"},
    )
    assert found["/a"].options == ("bind",)
    assert found["/b"].read_only and found["/b"].anonymous
    assert volumes.get(found["/b"].name).labels == {"k": "v", "com.docker.volume.anonymous": ""}
    assert found["/c"].options == ("size=4096", "mode=700")
    assert found["/d"].options == ("size=1m",)


LOST = {"Propagation": "bad"}
BIND = 'invalid mount config for type "bind": '


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (
            {"Mounts": [{"Type": "bind", "Source": "/nope", "Target": "/a"}]},
            f"{BIND}bind source path does not exist: /nope",
        ),
        (
            {"Mounts": [{"Type": "bind", "Source": "/", "Target": "x"}]},
            f"{BIND}invalid mount path: 'x' mount path must be absolute",
        ),
        (
            {"Mounts": [{"Type": "bind", "Source": "/", "Target": "/"}]},
            f"{BIND}invalid specification: destination can't be '/'",
        ),
        ({"Mounts": [{"Type": "bind", "Target": "/a"}]}, f"{BIND}field Source must not be empty"),
        (
            {"Mounts": [{"Type": "bind", "Source": "/nope", "Target": "/a", "BindOptions": LOST}]},
            f"{BIND}invalid propagation mode: bad",
        ),
        ({"Binds": ["/:/a", "/etc:/a/"]}, "Duplicate mount point: /a"),
        ({"Binds": ["/:/a"], "Tmpfs": {"/a": ""}}, "Duplicate mount point: /a"),
        ({"Tmpfs": {"/": ""}}, "invalid specification: destination can't be '/'"),
        ({"Tmpfs": {"/a/..": ""}}, "invalid specification: destination can't be '/'"),
        ({"Tmpfs": {"a": ""}}, "invalid mount path: 'a' mount path must be absolute"),
        ({"Binds": ["/:/a:ro,rw"]}, "invalid volume specification: '/:/a:ro,rw': invalid mode: ro,rw"),
        (
            {"Binds": ["/:/a:cached,delegated"]},
            "invalid volume specification: '/:/a:cached,delegated': invalid mode: cached,delegated",
        ),
        ({"Binds": ["/:/a:default"]}, "invalid volume specification: '/:/a:default': invalid mode: default"),
        ({"Binds": ["/:/a:ro,ro"]}, "invalid volume specification: '/:/a:ro,ro': invalid mode: ro,ro"),
        ({"Binds": ["/a"]}, "invalid volume specification: '/a'"),
        (
            {"Binds": ["data:/a:rprivate,cached"]},
            "invalid volume specification: 'data:/a:rprivate,cached': invalid mount config for type"
            ' "volume": field BindOptions must not be specified',
        ),
        (
            {"Binds": ["/:/a:nocopy"]},
            f"invalid volume specification: '/:/a:nocopy': {BIND}field VolumeOptions must not be specified",
        ),
        ({"VolumesFrom": [":ro"]}, 'malformed volumes-from specification: ":ro"'),
        ({"VolumesFrom": ["first:nocopy"]}, "invalid mode: nocopy"),
        ({"VolumesFrom": ["first:rslave"]}, "invalid mode: rslave"),
        ({"VolumesFrom": ["first:ro,rw"]}, "invalid mode: ro,rw"),
    ],
)
def test_refusals_are_dockers(volumes: Volumes, wishes: Any, words: str) -> None:
    with pytest.raises(BadMount) as refused:
        points(volumes, **wishes)
    assert str(refused.value) == words
    assert volumes.every() == []


def test_what_is_not_there_is_said(volumes: Volumes) -> None:
    with pytest.raises(BadVolumeName):
        points(volumes, Binds=["rel/path:/a"])
    with pytest.raises(MountUnsupported):
        points(volumes, Mounts=[{"Type": "cluster", "Target": "/a"}])
    with pytest.raises(NotFound):
        points(volumes, VolumesFrom=["nosuch"])
