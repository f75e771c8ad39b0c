"""Commit: the new image shows what the container showed, says what Docker says, and stands on its parent."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.layers.overlays import Overlay, merged, seen, tar_of
from tests.store.memory import Layer, Memory, brought, compressed
from tests.store.state import files_of

from millefeuille import kernel
from millefeuille.build.changes import apply_changes
from millefeuille.containers.commit import commit
from millefeuille.containers.committed import Wishes, committed_config, committed_process
from millefeuille.containers.record import Container, MountPoint
from millefeuille.files import DiskFull
from millefeuille.images.remove import remove
from millefeuille.images.users import Nobody
from millefeuille.layers.members import tree_members
from millefeuille.oci import config as image_config
from millefeuille.oci import mediatype
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_id
from millefeuille.oci.reference import Reference
from millefeuille.snapshots import attach
from millefeuille.snapshots.erofs.stored import make_metadata
from millefeuille.store import chains, events, images
from millefeuille.store.check import check
from millefeuille.store.images import ImageRecord
from millefeuille.store.journal import Reader
from millefeuille.store.names import NoSuchImage
from millefeuille.store.store import Store
from millefeuille.values import replace

pytestmark = pytest.mark.walk

CONFIG = {"Env": ["PATH=/bin"], "Cmd": ["sh", "-c", "make all"], "Labels": {"a": "b"}, "Hostname": "abc",
          "Image": "app:1", "Volumes": None, "Entrypoint": None}  # fmt: skip


class World:
    """A store with one image, whose files are an overlay's lower directory, and a container of it."""

    def __init__(self, top: Path) -> None:
        (top / "root").mkdir()
        self.overlay = Overlay(top / "root")
        self.store = Store(str(top / "store"))
        lower = self.overlay.lower
        (lower / "etc").mkdir()
        for name in ("etc/passwd", "etc/group", "file"):
            (lower / name).write_text(name)
        descriptor = os.open(lower, os.O_RDONLY)
        layer = compressed(tar_of(tree_members(descriptor)), "gzip")
        os.close(descriptor)
        memory = Memory()
        docker = Layer(layer.blob, layer.tar, mediatype.DOCKER_LAYER_GZIP)
        memory.add("1", [docker], Env=["PATH=/bin"], Cmd=["sh"])
        self.parent = brought(self.store, memory, "app:1", prepare=make_metadata).image
        self.base = layer
        self.container = Container(
            id="c" * 64, name="quiet_heron", created="2026-01-01T00:00:00Z", image=self.parent,
            chain=chain_id([layer.diff_id]), layers=(layer.diff_id,), path="sh", args=(),
            platform="linux/amd64", config=CONFIG, host_config={},
        )  # fmt: skip

    def commit(self, *instructions: str, **wishes: Any) -> ImageRecord:
        if instructions:
            wishes["process"] = apply_changes(instructions, self.container.config)
        with self.overlay.written() as written:
            wanted = Wishes(**wishes)
            image = commit(self.store, self.container, written, wanted)
        with self.store.reading() as tx:
            return next(images.images(tx, "id = ?", (str(image),)))

    def config(self, image: ImageRecord) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.store.blobs.read(image.id))
        return found

    def tars(self, image: ImageRecord) -> list[bytes]:
        config = image_config.parse(self.store.blobs.read(image.id))
        return [Path(self.store.disk.tar(diff_id)).read_bytes() for diff_id in config.diff_ids]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    world = World(tmp_path)
    with world.overlay:
        yield world


def change(world: World) -> None:
    root = Path(world.overlay.path)
    (root / "etc/group").unlink()
    (root / "etc/passwd").write_text("changed")
    (root / "new").write_text("new")


def test_the_image_shows_what_the_container_showed(world: World) -> None:
    change(world)
    image = world.commit()
    assert merged(*world.tars(image)) == seen(world.overlay.path)
    assert (image.parent, image.platform) == (world.parent, "linux/amd64")
    assert check(world.store, data=True).problems == ()
    with world.store.reading() as tx:
        assert image.chain is not None
        assert chains.metadata(tx, image.chain) is None  # the first mount makes it


def test_places_for_memory_are_directories_like_any_other(world: World) -> None:
    wanted = {"mem": (), "etc/own": ("size=1m", "mode=700"), "etc": ("mode=711",), "other": ("mode=750",)}
    points = tuple(
        MountPoint(type="tmpfs", target=f"/{target}", options=options) for target, options in wanted.items()
    )
    root = Path(world.overlay.path)
    for name, mode in (("mem", 0o1777), ("etc/own", 0o700), ("other", 0o751), ("etc", 0o711), ("d", 0o1777)):
        (root / name).mkdir(exist_ok=True)
        (root / name).chmod(mode)
    world.container = replace(world.container, mounts=points)
    shown = merged(*world.tars(world.commit()))
    found = {name: shown[name.encode()][0] & 0o7777 for name in (*wanted, "d")}
    assert found == {"mem": 0o755, "etc/own": 0o755, "etc": 0o711, "other": 0o751, "d": 0o1777}


def test_what_the_config_says(world: World) -> None:
    change(world)
    image = world.commit("ENV X=1", "EXPOSE 80", author="me", message="msg")
    config = world.config(image)
    (old, step) = config["history"]
    assert list(config) == sorted(config)
    assert old == {"created_by": "layer 0"}
    assert step == {
        "created": config["created"], "created_by": "sh -c make all", "author": "me", "comment": "msg",
    }  # fmt: skip
    assert config["author"] == "me"
    assert config["config"] == {
        "ExposedPorts": {"80/tcp": {}}, "Env": ["PATH=/bin", "X=1"], "Cmd": ["sh", "-c", "make all"],
        "Labels": {"a": "b"},
    }  # fmt: skip
    assert CONFIG["Env"] == ["PATH=/bin"]


def test_an_entrypoint_takes_the_command_away_unless_one_came_before(world: World) -> None:
    for instructions, command in (
        (['ENTRYPOINT ["x"]'], None), (['CMD ["y"]', 'ENTRYPOINT ["x"]'], ["y"]),
        (['ENTRYPOINT ["x"]', 'CMD ["y"]'], ["y"]),
    ):  # fmt: skip
        config = world.config(world.commit(*instructions))["config"]
        assert (config["Entrypoint"], config.get("Cmd")) == (["x"], command)


# What `docker commit -c ...` of Docker 20.10 makes of a container with this configuration.
_CONTAINER = {
    "Env": ["A=1"], "Labels": {"x": "y"}, "User": "5", "WorkingDir": "/w", "Volumes": {"/vol": {}},
    "ExposedPorts": {"81/tcp": {}}, "StopSignal": "SIGINT", "Cmd": ["/bin/sh", "-c", "x"],
    "Healthcheck": {"Test": ["CMD-SHELL", "hc"], "Interval": 7_000_000_000, "Retries": 4},
}  # fmt: skip


@pytest.mark.parametrize(
    ("line", "entrypoint", "changed"),
    [
        ("ENTRYPOINT []", None, {}),
        ("ENTRYPOINT []", ["/bin/ls"], {"Entrypoint": ["/bin/ls"]}),
        ("ENTRYPOINT", ["/bin/ls"], {"Entrypoint": ["/bin/ls"]}),
        ("ENTRYPOINT []\nCMD []", ["/bin/ls"], {"Entrypoint": ["/bin/ls"]}),
        ("CMD []", None, {}),
        ("CMD []", ["/bin/ls"], {"Entrypoint": ["/bin/ls"], "Cmd": None}),
        ('ENTRYPOINT ["x"]', ["/bin/ls"], {"Entrypoint": ["x"], "Cmd": None}),
        ('CMD []\nENTRYPOINT ["x"]', None, {"Entrypoint": ["x"], "Cmd": None}),
        ("CMD", None, {"Cmd": ["/bin/sh", "-c"]}),
        ('USER ""', None, {}),
        ("USER $NOTHING", None, {}),
        ("ENV B=2", None, {"Env": ["A=1", "B=2"]}),
        ("VOLUME /z", None, {"Volumes": {"/vol": {}, "/z": {}}}),
        ("WORKDIR sub", None, {"WorkingDir": "/w/sub"}),
        ("HEALTHCHECK --timeout=1s CMD y", None, {"Healthcheck": {
            "Test": ["CMD-SHELL", "y"], "Interval": 7_000_000_000, "Timeout": 1_000_000_000, "Retries": 4,
        }}),
        ("HEALTHCHECK NONE", None, {"Healthcheck": {
            "Test": ["NONE"], "Interval": 7_000_000_000, "Retries": 4,
        }}),
    ],
)  # fmt: skip
def test_what_changes_leave_empty_is_the_container_s_again(
    line: str, entrypoint: list[str] | None, changed: dict[str, Any]
) -> None:
    container = {**_CONTAINER, "Entrypoint": entrypoint}
    found = committed_process(container, apply_changes([line], container))
    expected = {key: value for key, value in {**_CONTAINER, **changed}.items() if value is not None}
    assert found == expected


def test_a_commit_of_no_files_has_no_layer_of_its_own(world: World) -> None:
    image = world.commit(message="nothing")
    config = world.config(image)
    assert config["rootfs"]["diff_ids"] == [str(world.base.diff_id)]
    assert config["history"][-1]["empty_layer"] is True
    assert image.chain == world.container.chain


def test_the_manifest_is_an_oci_one_of_blobs_that_are_here(world: World) -> None:
    change(world)
    image = world.commit()
    manifest = json.loads(world.store.blobs.read(image.manifest))
    assert [layer["mediaType"] for layer in manifest["layers"]] == [
        mediatype.OCI_LAYER_GZIP, mediatype.OCI_LAYER,
    ]  # fmt: skip
    assert manifest["layers"][0]["digest"] == str(world.base.descriptor().digest)
    diff_ids = world.config(image)["rootfs"]["diff_ids"]
    assert manifest["layers"][1]["digest"] == diff_ids[1]
    blob = os.stat(world.store.disk.blob(Digest.parse(diff_ids[1])))
    assert os.path.samestat(blob, os.stat(world.store.disk.tar(Digest.parse(diff_ids[1]))))


def test_the_same_change_is_the_same_layer_and_with_an_epoch_the_same_image(world: World) -> None:
    change(world)
    one, two = world.commit(), world.commit()
    assert one.id != two.id  # made at different times
    assert world.tars(one) == world.tars(two)
    assert world.commit(epoch=1000).id == world.commit(epoch=1000).id
    assert world.config(world.commit(epoch=1000))["created"] == "1970-01-01T00:16:40Z"


def test_the_name_and_the_events(world: World) -> None:
    change(world)
    name = Reference.parse("kid:1").tagged()
    image = world.commit(name=name, message="msg")
    assert image.tags == (str(name),)
    with world.store.reading() as tx:
        told = [(e.kind, e.action, e.actor) for e in events.since(tx)][-1]
    assert told == ("image", "tag", str(image.id))
    happened = Reader(world.store.disk.journal).fresh()
    assert [(each.kind, each.action, each.actor, each.attributes) for each in happened] == [(
        "container", "commit", "c" * 64,
        {"a": "b", "comment": "msg", "image": "app:1", "imageID": str(image.id), "imageRef": "kid:1",
         "name": "quiet_heron"},
    )]  # fmt: skip


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[None]:
    """The store's place has 24 MB."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    (tmp_path / "store").mkdir(mode=0o700)
    mount = attach.detached("tmpfs", [("size", "24m"), ("mode", "0700")])
    kernel.move_mount(mount, str(tmp_path / "store"))
    os.close(mount)
    yield
    kernel.unmount(str(tmp_path / "store"), detach=True)


def test_a_full_disk(small_disk: None, world: World) -> None:
    change(world)
    large = Path(world.overlay.path, "large")
    large.write_bytes(os.urandom(30 << 20))
    before = files_of(world.store.disk.root)
    with pytest.raises(DiskFull, match="no space left on device"):
        world.commit()
    assert files_of(world.store.disk.root) == before
    large.unlink()
    assert merged(*world.tars(world.commit())) == seen(world.overlay.path)
    assert check(world.store, data=True).problems == ()


def test_an_image_that_is_gone(world: World) -> None:
    with world.store.writing() as tx:
        remove(tx, "app:1", Nobody(), force=True)
    with pytest.raises(NoSuchImage, match="No such image: sha256:"):
        world.commit()


def test_an_image_that_tells_nothing_of_its_making(world: World) -> None:
    silent = image_config.parse(
        json.dumps({"os": "linux", "rootfs": {"diff_ids": [str(world.base.diff_id)] * 2}}).encode()
    )  # fmt: skip
    config = committed_config(silent, {}, {"created": "2024-01-02T03:04:05Z"}, world.base.diff_id)
    assert config.fields["history"] == [{"created": "2024-01-02T03:04:05Z"}] * 3


def test_an_image_that_tells_of_some_of_its_layers(world: World) -> None:
    told = [{"created_by": "a"}, {"created_by": "b", "empty_layer": True}]
    partly = image_config.parse(json.dumps({
        "os": "linux", "rootfs": {"diff_ids": [str(world.base.diff_id)] * 2}, "history": told,
    }).encode())  # fmt: skip
    config = committed_config(partly, {}, {"created": "2024-01-02T03:04:05Z"}, world.base.diff_id)
    assert config.fields["history"] == [*told, *([{"created": "2024-01-02T03:04:05Z"}] * 2)]
    image_config.check_layers(config, 3, "x")


def test_umoci_unpacks_the_same_tree(world: World, tmp_path: Path) -> None:
    if shutil.which("umoci") is None:
        pytest.skip("umoci is not installed")
    change(world)
    root = Path(world.overlay.path)
    os.link(root / "new", root / "same")
    (root / "etc/deep").mkdir()
    os.mkfifo(root / "etc/deep/pipe")
    os.setxattr(root / "new", "user.note", b"kept")
    image = world.commit(name=Reference.parse("kid:1").tagged())
    layout, target = tmp_path / "layout", tmp_path / "unpacked"
    layout.mkdir()
    shutil.copytree(f"{world.store.disk.root}/blobs", layout / "blobs")
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    raw = world.store.blobs.read(image.manifest)
    entry = {
        "mediaType": mediatype.OCI_MANIFEST, "digest": str(image.manifest), "size": len(raw),
        "annotations": {"org.opencontainers.image.ref.name": "it"},
    }  # fmt: skip
    (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    subprocess.run(["umoci", "raw", "unpack", "--image", f"{layout}:it", str(target)], check=True)
    assert seen(str(target)) == seen(world.overlay.path)
