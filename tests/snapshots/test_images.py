"""Real images, mounted by both drivers, against the merged tree and what GNU tar extracts."""

from __future__ import annotations

import gzip
import os
import stat
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.snapshots.facts import Facts, difference, expected, shown
from tests.snapshots.stacks import Stacks

from millefeuille.snapshots import attach
from millefeuille.snapshots.erofs.driver import ErofsSnapshotter
from millefeuille.snapshots.overlay.driver import OverlaySnapshotter
from millefeuille.snapshots.snapshotter import Snapshotter, close_all
from millefeuille.testing.debian import DEBIAN, PackagesMissing, debian_layer
from millefeuille.testing.images import MadeImage
from millefeuille.testing.servers import ServerMissing

pytestmark = [pytest.mark.walk, pytest.mark.long]

PYTHON = ("python3", "python3-pip", "python3-numpy", "python3-dev")
NODE = ("nodejs", "npm")
SYSTEM = ("build-essential", "git", "golang-go", "perl", "openssl", "ca-certificates")


def tars(image: MadeImage) -> list[bytes]:
    """The uncompressed layers of an image."""
    return [gzip.decompress(layer.path.read_bytes()) for layer in image.layers]


def packages(cache: Path, name: str, *groups: Sequence[str]) -> list[bytes]:
    """Layers of Debian's packages, each group on top of the ones before it."""
    try:
        layers = [debian_layer(cache, "debian-1", [DEBIAN])]
        for number in range(len(groups)):
            stack = [DEBIAN, *groups[: number + 1]]
            layers.append(debian_layer(cache, f"snapshots-2-{name}-{number}", stack))
    except (PackagesMissing, ServerMissing) as missing:
        pytest.skip(str(missing))
    return [gzip.decompress(layer.path.read_bytes()) for layer in layers]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    (tmp_path / "chains").mkdir()
    yield tmp_path


def mounted(snapshots: Snapshotter, stacks: Stacks, layers: list[bytes]) -> Facts:
    mounts = snapshots.view("view", stacks.add(*layers))
    try:
        root = attach.opened(mounts)
    finally:
        close_all(mounts)
    try:
        return shown(root, clamped=True)
    finally:
        os.close(root)


def extracted(place: Path, layers: list[bytes]) -> Facts:
    """What GNU tar makes of the layers, one over the other. They have no whiteouts."""
    target = place / "gnu"
    target.mkdir()
    words = ("--xattrs", "--xattrs-include=*", "--numeric-owner", "--delay-directory-restore")
    command = ["tar", *words, "-xpf", "-", "-C", target]
    for layer in layers:
        subprocess.run(command, input=layer, check=True)
    root = os.open(target, os.O_RDONLY | os.O_DIRECTORY)
    try:
        return shown(root, clamped=True)
    finally:
        os.close(root)


def named(facts: Facts, right: Facts) -> Facts:
    """Without the directories that no entry names: GNU tar gives them the time at which it makes them."""
    return {p: fact for p, fact in facts.items() if right[p].mtime or not stat.S_ISDIR(fact.mode)}


def check(place: Path, layers: list[bytes]) -> int:
    """Compare all four; the number of paths."""
    stacks = Stacks(place / "chains")
    top, bytes_of = stacks.tree(stacks.add(*layers))
    right = expected(top, bytes_of, clamped=True)
    erofs = mounted(ErofsSnapshotter(str(place / "erofs"), stacks.erofs), stacks, layers)
    assert difference(erofs, right) == []
    overlay = mounted(OverlaySnapshotter(str(place / "overlay"), stacks.overlay), stacks, layers)
    assert difference(overlay, right) == []
    gnu = extracted(place, layers)
    assert set(gnu) == set(right)
    assert difference(named(gnu, right), named(right, right)) == []
    return len(right)


def test_busybox(place: Path, busybox: MadeImage) -> None:
    assert check(place, tars(busybox)) > 200


def test_debian(place: Path, image_cache: Path) -> None:
    assert check(place, packages(image_cache, "debian")) > 1000


def test_nginx(place: Path, nginx: MadeImage) -> None:
    assert check(place, tars(nginx)) > 1000


@pytest.fixture(scope="session")
def counted() -> list[int]:
    return []


@pytest.mark.parametrize(
    ("name", "groups"), [("python", (SYSTEM, PYTHON)), ("node", (NODE,))], ids=["python", "node"]
)
def test_large(
    place: Path, image_cache: Path, all_cases: bool, counted: list[int], name: str,
    groups: tuple[tuple[str, ...]],
) -> None:  # fmt: skip
    if not all_cases:
        pytest.skip("fetches a gigabyte of packages; scripts/test --all")
    counted.append(check(place, packages(image_cache, name, *groups)))
    assert counted[-1] > 5_000
    if len(counted) == 2:
        assert sum(counted) > 50_000
