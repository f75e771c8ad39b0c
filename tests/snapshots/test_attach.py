"""Mounts of directories whose paths the kernel does not take as they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from millefeuille.snapshots import attach
from millefeuille.snapshots.overlay.marks import marks
from millefeuille.snapshots.overlay.probe import probe
from millefeuille.snapshots.snapshotter import Mount

pytestmark = pytest.mark.walk

ODD = {"long": "/".join(["d" * 150] * 2), "backslash": "a\\b", "comma": "a,b", "colon": "a:b"}


@pytest.fixture(params=ODD)
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A directory with such a path."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    directory = tmp_path / ODD[request.param]
    directory.mkdir(parents=True)
    return directory


def test_an_overlay_anywhere(odd: Path) -> None:
    before = sorted(os.listdir("/proc/self/fd"))
    for name in ("lower", "upper", "work"):
        (odd / name).mkdir()
    (odd / "lower/old").touch()
    named = (("lowerdir+", "lower"), ("upperdir", "upper"), ("workdir", "work"))
    places = tuple((key, str(odd / name)) for key, name in named)
    root = attach.opened([Mount(type="overlay", source="overlay", options=places)])
    try:
        assert os.listdir(f"/proc/self/fd/{root}") == ["old"]
        os.mkdir("new", dir_fd=root)
    finally:
        os.close(root)
    assert os.listdir(odd / "upper") == ["new"]
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_overlays_are_found_to_work_anywhere(odd: Path) -> None:
    assert probe(str(odd), marks()) is None
    assert os.listdir(odd) == []
