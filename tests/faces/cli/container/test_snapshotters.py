"""A container's life on either snapshotter, and what is left on the disk and of mounts."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

from millefeuille.runtime import probe
from millefeuille.runtime.invocation import RuntimeMissing
from millefeuille.testing.images import MadeImage, write_docker_archive

pytestmark = pytest.mark.walk


@pytest.fixture
def image(home: Home, busybox: MadeImage, tmp_path: Path) -> str:
    """An archive with a busybox, on a machine that can run it."""
    if os.geteuid() != 0:
        pytest.skip("only root can run containers: `run` was NOT tried")
    try:
        probe.find(str(tmp_path))
    except RuntimeMissing as missing:
        pytest.skip(str(missing))
    write_docker_archive(busybox, tmp_path / "busybox.tar", "busybox:1")
    return str(tmp_path / "busybox.tar")


def mounts(home: Home) -> list[str]:
    """What is mounted below the store's run directory."""
    identity = hashlib.sha256(os.fsencode(home.store)).hexdigest()[:12]
    lines = Path("/proc/self/mounts").read_text().splitlines()
    return [line for line in lines if f"/run/millefeuille/{identity}/chains/" in line]


@pytest.mark.parametrize("driver", ["erofs", "overlay"])
def test_run_and_what_is_left(home: Home, image: str, driver: str) -> None:
    environment = {"MILLE_SNAPSHOTTER": driver}

    def mille(*words: str) -> str:
        out, err, code = home.mille(*words, environment=environment)
        assert code == 0, err
        return out

    mille("load", "-q", "-i", image)
    (chain,) = [
        layer.removeprefix("sha256:")
        for layer in json.loads(mille("inspect", "busybox:1"))[0]["RootFS"]["Layers"]
    ]
    assert os.listdir(home.store / "chains") == ([f"{chain}.erofs"] if driver == "erofs" else [])
    assert f" Storage Driver: {driver}" in mille("info").splitlines()
    script = "echo new > /etc/new; rm /etc/group; ls /etc; cat /proc/mounts | grep ' / '"
    lines = mille("run", "--rm", "busybox:1", "sh", "-c", script).splitlines()
    assert {"new", "passwd"} <= set(lines)
    assert "group" not in lines
    assert any(line.startswith("overlay / overlay rw") for line in lines)
    assert mille("run", "--rm", "busybox:1", "ls", "/etc/group") == "/etc/group\n"
    assert os.listdir(home.store / "extracted") == ([chain] if driver == "overlay" else [])
    assert os.listdir(home.store / "snapshots") == []
    mille("rmi", "busybox:1")
    for directory in ("chains", "extracted", "layers", "ingest", "trash"):
        assert os.listdir(home.store / directory) == [], directory
    # The next command that changes containers unmounts what nobody uses.
    assert home.mille("rm", "nosuch", environment=environment)[2] == 1
    assert mounts(home) == []
