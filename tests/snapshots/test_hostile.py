"""The corpus of hostile layers, mounted by both drivers: the one right tree, and nothing beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.snapshots.facts import difference, expected, shown
from tests.snapshots.stacks import Stacks

from millefeuille import files
from millefeuille.errors import MilleError
from millefeuille.layers import compression
from millefeuille.layers.compression import Bomb, BrokenStream
from millefeuille.layers.refusal import BrokenLink
from millefeuille.layers.tar import TarError
from millefeuille.oci.digest import Digest
from millefeuille.snapshots import attach
from millefeuille.snapshots.erofs.chunks import UnmappableFile
from millefeuille.snapshots.erofs.driver import ErofsSnapshotter
from millefeuille.snapshots.overlay.driver import OverlaySnapshotter
from millefeuille.snapshots.overlay.extract import AttributesRefused
from millefeuille.snapshots.snapshotter import Snapshotter, close_all
from millefeuille.testing.hostile import CASES, Case

pytestmark = pytest.mark.walk

LARGEST = 100 << 20  # bytes of a tar
# Right, but more than ext4 can have: 65000 names of an inode, 4 KiB of attributes.
BEYOND_EXT4 = {"T3.16": "Too many links", "T6.20": "cannot keep its extended attribute"}
# Sparse files whose data do not stand at whole blocks, which EROFS cannot refer to.
UNMAPPABLE = {"T7.26a", "T7.26b", "T7.26c", "T7.26d", "T7.26e"}
SLOW = {"T8.05"}  # two million entries


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A directory with something beside it that nobody may touch."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    (tmp_path / "chains").mkdir()
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim/secret").write_text("untouched")
    outside = {name: os.path.lexists(name) for name in ("/victim", "/x", "/f", "/etc/x", "/tmp/x")}
    yield tmp_path
    assert os.listdir(tmp_path / "victim") == ["secret"]
    assert (tmp_path / "victim/secret").read_text() == "untouched"
    assert {name: os.path.lexists(name) for name in outside} == outside
    files.remove_tree(str(tmp_path / "chains"))  # some are deeper than what cleans up after tests goes


def inflated(blob: bytes) -> bytes:
    inflater = compression.inflater(compression.sniff(blob[:4]))
    pieces = list(inflater.feed(blob))
    inflater.finish()
    tar = b"".join(pieces)
    if len(tar) > LARGEST:
        pytest.skip("a tar of this size is read, not mounted, in these tests")
    return tar


def tree(snapshots: Snapshotter, chain: Digest, *, clamped: bool) -> dict[bytes, object]:
    mounts = snapshots.view("view", chain)
    try:
        root = attach.opened(mounts)
    finally:
        close_all(mounts)
    try:
        return dict(shown(root, clamped=clamped))
    finally:
        os.close(root)


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_both_drivers_show_the_right_tree(case: Case, place: Path, all_cases: bool) -> None:
    if case.id in SLOW and not all_cases:
        pytest.skip("takes its time; scripts/test --all")
    stacks = Stacks(place / "chains")
    erofs = ErofsSnapshotter(str(place / "erofs"), stacks.erofs)
    overlay = OverlaySnapshotter(str(place / "overlay"), stacks.overlay)
    try:
        chain = stacks.add(*map(inflated, case.tars()))
        root, tars = stacks.tree(chain)
    except (TarError, BrokenLink, BrokenStream, Bomb):
        assert case.refused is not None, "refused, and should not be"
        if "chain" in locals():
            for driver in (erofs, overlay):
                with pytest.raises(MilleError):
                    driver.view("view", chain)
                assert list(driver) == []
        return
    assert case.refused is None
    if case.id in UNMAPPABLE:
        with pytest.raises(UnmappableFile):
            erofs.view("view", chain)
    else:
        right = expected(root, tars, clamped=False)
        assert difference(tree(erofs, chain, clamped=False), right) == []
    if case.id in BEYOND_EXT4:
        with pytest.raises((OSError, AttributesRefused), match=BEYOND_EXT4[case.id]):
            overlay.view("view", chain)
        return
    clamped = expected(root, tars, clamped=True)
    assert difference(tree(overlay, chain, clamped=True), clamped) == []
