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
from millefeuille.testing import rawtars
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


@pytest.mark.parametrize("driver", ["erofs", "overlay"])
def test_the_root_keeps_its_attributes(home: Home, image: str, tmp_path: Path, driver: str) -> None:
    environment = {"MILLE_SNAPSHOTTER": driver}

    def mille(*words: str) -> str:
        out, err, code = home.mille(*words, environment=environment)
        assert code == 0, err
        return out

    root = rawtars.xattr(b"user.colour", b"blue") + rawtars.directory(b"./", mode=0o755)
    (tmp_path / "rootfs.tar").write_bytes(rawtars.archive(root, rawtars.file(b"f", b"x")))
    mille("import", str(tmp_path / "rootfs.tar"), "first:1")
    mille("create", "--network", "none", "--name", "one", "first:1", "/f")
    mille("commit", "one", "second:1")
    assert mille("diff", "one") == ""
    upper = home.store / "snapshots" / mille("inspect", "--format", "{{.Id}}", "one").strip() / "upper"
    assert os.getxattr(upper, "user.colour") == b"blue"
    upper.chmod(0o711)
    os.setxattr(upper, "user.shape", b"round")
    mille("commit", "one", "third:1")
    for name, mode, expected in (
        ("second:1", 0o755, {"user.colour": b"blue"}),
        ("third:1", 0o711, {"user.colour": b"blue", "user.shape": b"round"}),
    ):
        place = mille("image", "mount", name).strip()
        found = {key: os.getxattr(place, key) for key in os.listxattr(place) if key.startswith("user.")}
        assert (found, os.stat(place).st_mode & 0o7777) == (expected, mode), name
        mille("image", "unmount", name)
    mille("rm", "one")
