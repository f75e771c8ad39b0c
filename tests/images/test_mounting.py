"""A mount whose transaction fails leaves neither its record nor its lock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from millefeuille.files import DiskFull
from millefeuille.images import mounting
from millefeuille.images.mounts import Mounts
from millefeuille.snapshots.snapshotter import Snapshotter
from millefeuille.store.store import Store


class Failing:
    """A store whose transactions cannot be committed."""

    @contextmanager
    def writing(self) -> Iterator[Any]:
        yield None
        raise DiskFull("db.sqlite: no space left on device")


def test_a_failing_commit_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = SimpleNamespace(id="sha256:" + "0" * 64, chain="sha256:" + "1" * 64)
    monkeypatch.setattr(mounting, "find_platform", lambda *_: image)
    mounts = Mounts(str(tmp_path))
    before = sorted(os.listdir("/proc/self/fd"))
    with pytest.raises(DiskFull):
        mounting.mount(mounts, cast(Store, Failing()), cast(Snapshotter, None), "x", None)
    assert os.listdir(tmp_path) == []
    assert sorted(os.listdir("/proc/self/fd")) == before
