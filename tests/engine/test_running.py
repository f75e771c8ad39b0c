"""What a build that runs commands leaves on the host, and in its process: nothing."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import shutil
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

import millefeuille
from millefeuille.build.running.failure import StepFailed
from millefeuille.testing.images import MadeImage, write_docker_archive

pytestmark = pytest.mark.walk


@pytest.mark.parametrize(("command", "code"), [("true", 0), ("false", 1)])
def test_no_mount_is_left(busybox: MadeImage, tmp_path: Path, command: str, code: int) -> None:
    if os.geteuid() != 0 or not (shutil.which("crun") or shutil.which("runc")):
        pytest.skip("running commands needs root, and crun or runc")
    home = Home(tmp_path)
    write_docker_archive(busybox, tmp_path / "busybox.tar", "busybox:latest")
    assert home.mille("load", "-i", str(tmp_path / "busybox.tar"))[2] == 0
    text = f"FROM busybox\nRUN cp /proc/self/mountinfo /told\nRUN {command}\n"
    _, err, ended = home.mille("build", "-q", "-t", "made", "-", typed=text)
    assert ended == code, err
    ours = hashlib.sha256(os.fsencode(home.store)).hexdigest()[:12]
    assert [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if ours in line] == []
    if not code:
        assert "overlay" in home.mille("image", "cat", "made", "/told")[0]


@pytest.mark.parametrize("command", ["true", "false"])
def test_no_descriptor_is_left(busybox: MadeImage, tmp_path: Path, command: str) -> None:
    if os.geteuid() != 0 or not (shutil.which("crun") or shutil.which("runc")):
        pytest.skip("running commands needs root, and crun or runc")
    engine = millefeuille.Engine(tmp_path / "store", environment=dict(os.environ))
    write_docker_archive(busybox, tmp_path / "busybox.tar", "busybox:latest")
    engine.load(tmp_path / "busybox.tar")
    (tmp_path / "context").mkdir()
    text = f"FROM busybox\nRUN touch /a\nRUN touch /b\nRUN {command}\n"
    (tmp_path / "context/Dockerfile").write_text(text)
    counts = []
    for _ in range(3):
        failing = pytest.raises(StepFailed) if command == "false" else contextlib.nullcontext()
        with failing:
            engine.build(tmp_path / "context", cache=False)
        gc.collect()
        counts.append(len(os.listdir("/proc/self/fd")))
    assert counts == counts[:1] * 3
