"""Real mounts in tests, in the test's own directory, gone when the test ends."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.store.conftest import memory, store

from millefeuille import kernel
from millefeuille.snapshots.chain import Chain
from millefeuille.snapshots.erofs.mount import mount_chain

__all__ = ["memory", "mounted", "store"]


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[Chain], Path]]:
    """Mounts a chain and gives the directory where it can be seen."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    targets: list[Path] = []

    def mount(chain: Chain) -> Path:
        target = tmp_path / f"mount-{len(targets)}"
        target.mkdir()
        descriptor, _ = mount_chain(chain)
        try:
            kernel.move_mount(descriptor, str(target))
        finally:
            os.close(descriptor)
        targets.append(target)
        return target

    yield mount
    for target in targets:
        with contextlib.suppress(OSError):
            kernel.unmount(str(target), detach=True)
