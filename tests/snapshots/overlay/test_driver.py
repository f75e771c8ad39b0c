"""Extracted layers on kernels that take lower directories in other ways."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from tests.snapshots.stacks import Stacks

from millefeuille import kernel
from millefeuille.snapshots import attach
from millefeuille.snapshots.overlay.driver import OverlaySnapshotter
from millefeuille.snapshots.snapshotter import close_all
from millefeuille.testing.rawtars import archive, file

pytestmark = pytest.mark.walk


@pytest.mark.parametrize("taken", ["paths", "one text"])
@pytest.mark.parametrize("count", [1, 2, 12])
def test_older_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: str, count: int) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    configure = kernel.configure

    def older(context: int, key: str, value: str | int | None = None) -> None:
        if key == "lowerdir+" and (taken != "paths" or isinstance(value, int)):
            raise OSError(errno.EINVAL, "Invalid argument")
        configure(context, key, value)

    monkeypatch.setattr(kernel, "configure", older)
    (tmp_path / "chains").mkdir()
    (tmp_path / "root").mkdir()
    stacks = Stacks(tmp_path / "chains")
    chain = stacks.add(*(archive(file(b"f%d" % n, b"1"), file(b"last", b"%d" % n)) for n in range(count)))
    snapshots = OverlaySnapshotter(str(tmp_path / "snapshots"), stacks.overlay)
    mounts = snapshots.prepare("key", chain)
    try:
        targets = attach.attach(mounts, str(tmp_path / "root"))
    finally:
        close_all(mounts)
    try:
        assert len(os.listdir(tmp_path / "root")) == count + 1
        assert (tmp_path / "root/last").read_bytes() == b"%d" % (count - 1)
        (tmp_path / "root/last").write_bytes(b"new")
    finally:
        attach.detach(targets)
    assert Path(snapshots.changes("key").upper, "last").read_bytes() == b"new"
