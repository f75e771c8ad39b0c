"""What was written to a real root of either driver: told, committed, and shown again by the new image."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.layers.overlays import Words, seen
from tests.store.memory import Memory, brought, compressed, tar_of

from millefeuille.containers import written
from millefeuille.containers.commit import commit
from millefeuille.containers.committed import Wishes
from millefeuille.containers.diff import diff
from millefeuille.containers.record import Container
from millefeuille.engine.metadata import prepare
from millefeuille.engine.snapshots import snapshotter
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_id
from millefeuille.settings import Settings, settle
from millefeuille.snapshots import attach
from millefeuille.snapshots.snapshotter import Mount, close_all, let_go
from millefeuille.store import images
from millefeuille.store.store import Store

pytestmark = pytest.mark.walk
ID = "c" * 64


class World:
    """A store under one driver, an image of two layers, and a root on it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.root)
        memory = Memory()
        lower = compressed(tar_of({"etc/passwd": b"1", "etc/group": b"2", "opt/app/x": b"3"}), "gzip")
        upper = compressed(tar_of({"etc/.wh.group": b"", "etc/passwd": b"4", "etc/top": b"5"}), "gzip")
        memory.add("1", [lower, upper])
        image = brought(self.store, memory, "app:1", prepare=prepare(settings)).image
        self.snapshots = snapshotter(settings, self.store)
        layers = (lower.diff_id, upper.diff_id)
        self.container = Container(
            id=ID, name="it", created="", image=image, chain=chain_id(layers), layers=layers, path="sh",
            args=(), platform="linux/amd64", config={}, host_config={},
        )  # fmt: skip

    @contextlib.contextmanager
    def mounted(self, mounts: tuple[Mount, ...]) -> Iterator[str]:
        try:
            descriptor = attach.opened(mounts)
        finally:
            close_all(mounts)
        try:
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
            let_go(mounts)

    def shown(self, chain: Digest | None) -> Words:
        assert chain is not None
        with self.mounted(self.snapshots.view("view", chain)) as root:
            words = seen(root)
        self.snapshots.remove("view")
        return words


@pytest.fixture(params=["erofs", "overlay"])
def world(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    environment = {"MILLE_SNAPSHOTTER": request.param}
    settings = settle(environment, uid=0, home=str(tmp_path), root=str(tmp_path / "store"))
    for path in (tmp_path / "run", tmp_path / "run/store"):
        path.mkdir()
    world = World(replace(settings, run=str(tmp_path / "run")))
    yield world
    world.snapshots.remove(ID)
    world.snapshots.release_idle()


def test_told_committed_and_shown_again(world: World) -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    with world.mounted(world.snapshots.prepare(ID, world.container.chain)) as path:
        root = Path(path)
        (root / "new").write_text("new")
        (root / "etc/passwd").write_text("changed")
        (root / "etc/top").unlink()
        shutil.rmtree(root / "opt/app")
        (root / "opt/app").mkdir()
        (root / "opt/app/y").touch()
        with written.opened(world.snapshots, world.container) as changed:
            lines = [f"{letter} {os.fsdecode(path)}" for letter, path in diff(changed)]
            image = commit(world.store, world.container, changed, Wishes())
        words = seen(path)
    assert lines == [
        "C /etc", "C /etc/passwd", "D /etc/top", "A /new", "C /opt", "C /opt/app", "A /opt/app/y",
        "D /opt/app/x",
    ]  # fmt: skip
    with world.store.reading() as tx:
        chain = next(images.images(tx, "id = ?", (str(image),))).chain
    assert world.shown(chain) == words
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_an_untouched_root(world: World) -> None:
    with world.mounted(world.snapshots.prepare(ID, world.container.chain)):
        pass
    with written.opened(world.snapshots, world.container) as changed:
        assert diff(changed) == []
