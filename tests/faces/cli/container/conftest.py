from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

from millefeuille.testing.images import MadeImage, write_docker_archive


@pytest.fixture
def box(home: Home, busybox: MadeImage, tmp_path: Path) -> Iterator[Home]:
    """A home with the image busybox, and none of its containers left at the end."""
    if os.geteuid() != 0:
        pytest.skip("only root can run containers")
    write_docker_archive(busybox, tmp_path / "busybox.tar", "busybox:latest")
    assert home.mille("load", "-i", str(tmp_path / "busybox.tar"))[2] == 0
    yield home
    ids = home.mille("ps", "-aq")[0].split()
    for id in ids:
        home.mille("rm", "-f", "-v", id)
