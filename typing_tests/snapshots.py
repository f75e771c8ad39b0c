"""The snapshotters are what the contract says, the fake too; mypy checks it, nothing runs it."""

from __future__ import annotations

from millefeuille.snapshots.erofs.driver import ErofsSnapshotter
from millefeuille.snapshots.overlay.driver import OverlaySnapshotter
from millefeuille.snapshots.snapshotter import Snapshotter
from millefeuille.testing.memory_snapshots import MemorySnapshotter


def erofs(driver: ErofsSnapshotter) -> Snapshotter:
    return driver


def overlay(driver: OverlaySnapshotter) -> Snapshotter:
    return driver


def memory(fake: MemorySnapshotter) -> Snapshotter:
    return fake
