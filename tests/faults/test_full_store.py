"""A container that fills the disk of its own store: it ends as it would elsewhere, and can be removed, by
which there is room again; nothing else is held up by it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.yard import BASE, Yard

from millefeuille.testing.images import MadeImage

pytestmark = pytest.mark.walk

SIZE = 40 << 20  # bytes of the disk
FILL = 'cat /dev/zero > /filler; n=0; while printf "" > "/f$n"; do n=$((n + 1)); done; exit 7'


@pytest.fixture
def yard(tmp_path: Path, busybox: MadeImage) -> Iterator[Yard]:
    if os.geteuid() != 0:
        pytest.skip("running containers needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    options = f"size={SIZE},nr_inodes=500,mode=700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], check=True)
    try:
        made = Yard(disk, busybox)
        yield made
        assert made.remnants() == []
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def told(yard: Yard, name: str) -> tuple[str, int]:
    state = json.loads(yard.done("inspect", "-f", "{{json .State}}", name))
    return state["Status"], state["ExitCode"]


def test_a_container_that_fills_the_disk(yard: Yard) -> None:
    yard.done("create", "--network", "none", "--name", "other", BASE, "sleep", "100")
    filled = yard.mille("run", "--network", "none", "--name", "full", BASE, "sh", "-c", FILL)
    assert (filled.returncode, told(yard, "full")) == (7, ("exited", 7)), filled.stderr
    assert os.statvfs(yard.root).f_bavail == os.statvfs(yard.root).f_ffree == 0
    refused = yard.mille("run", "--network", "none", "--rm", BASE, "true")
    assert refused.returncode == 125 and "no space left on device" in refused.stderr
    started = yard.mille("start", "other")
    assert started.returncode == 1 and "no space left on device" in started.stderr
    assert yard.done("ps", "-aq", "--filter", "status=exited") == yard.done("ps", "-aq", "-f", "name=full")
    for name in ("other", "full"):
        assert yard.done("rm", name) == name
    assert os.statvfs(yard.root).f_bavail * 4096 > SIZE / 4
    assert yard.done("run", "--network", "none", "--rm", BASE, "echo", "again") == "again"
    yard.done("system", "check")


def test_a_log_that_fills_the_disk(yard: Yard) -> None:
    yard.done("run", "-d", "--network", "none", "--name", "loud", BASE, "sh", "-c", "yes; exit 3")
    while os.statvfs(yard.root).f_bavail:
        assert yard.done("ps", "-q")
    quiet = ("run", "--network", "none", "--name", "quiet", BASE, "true")
    assert yard.mille(*quiet).returncode == 125
    assert yard.done("exec", "loud", "echo", "still there") == "still there"
    assert yard.done("stop", "-t", "0", "loud") == "loud"
    assert told(yard, "loud") == ("exited", 137)
    assert yard.done("container", "prune", "-f").startswith("Deleted Containers:")
    assert yard.done("ps", "-aq") == ""
    assert yard.mille(*quiet).returncode == 0
    yard.done("rm", "quiet")


def test_a_container_that_fills_the_disk_before_anything_is_told_of_it(yard: Yard) -> None:
    id = yard.done("create", "--network", "none", "--name", "one", BASE, "sleep", "100")
    state = Path(yard.root, "containers", id, "state.json")
    assert not state.exists()
    # Whatever the container takes then, its state has a place.
    yard.mille("start", "one", fault="spawn:1:kill")
    assert json.loads(state.read_text())["Status"] == "created"
    yard.done("start", "one")
    assert told(yard, "one") == ("running", 0)
    yard.done("rm", "-f", "one")


def test_one_that_nothing_could_be_told_of_is_removed_with_force(yard: Yard) -> None:
    id = yard.done("run", "-d", "--network", "none", "--name", "one", BASE, "sleep", "100")
    Path(yard.root, "containers", id, "state.json").unlink()
    began = time.monotonic()
    assert yard.done("rm", "-f", "one") == "one"
    assert time.monotonic() - began < 20


def test_a_full_disk_and_a_killed_monitor(yard: Yard) -> None:
    yard.done("run", "-d", "--network", "none", "--name", "one", BASE, "sleep", "100")
    filler = Path(yard.root, "filler")
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    for pid in yard.monitors():
        os.kill(pid, signal.SIGKILL)
    assert yard.done("ps", "-q") == ""
    assert told(yard, "one") == ("exited", 137)
    assert yard.done("rm", "-f", "one") == "one"
    filler.unlink()


def fill(yard: Yard) -> None:
    """Take every inode."""
    directory = Path(yard.root, "trash")
    number = 0
    while os.statvfs(yard.root).f_ffree:
        (directory / f"filler-{number}").touch()
        number += 1


def test_no_inodes_after_a_boot(yard: Yard) -> None:
    for name in ("one", "two", "three"):
        yard.done("create", "--network", "none", "--name", name, BASE, "true")
    for words in (("rm", "one"), ("rm", "-f", "two"), ("container", "prune", "-f")):
        fill(yard)
        Path(yard.place.run, "driver").unlink(missing_ok=True)
        assert yard.done("inspect", "-f", "{{.GraphDriver.Name}}", "three")
        yard.done(*words)
    assert yard.done("ps", "-aq") == ""
    fill(yard)
    assert yard.done("system", "check", "--repair").endswith(": no problems")
    for path in Path(yard.root, "trash").iterdir():
        path.unlink()


def test_a_disk_that_is_read_only_after_a_boot(yard: Yard) -> None:
    ran = yard.mille("run", "--network", "none", "--name", "one", BASE, "sh", "-c", "exit 3")
    assert ran.returncode == 3, ran.stderr
    Path(yard.place.run, "driver").unlink()
    disk = str(Path(yard.root).parent)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    try:
        assert yard.done("inspect", "-f", "{{.GraphDriver.Name}}", "one")
        assert yard.done("stop", "one") == "one"
        assert yard.done("wait", "one") == "3"
        assert "is not running" in yard.mille("kill", "one").stderr
    finally:
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    yard.done("rm", "one")


def test_a_disk_that_is_read_only_while_containers_run(yard: Yard) -> None:
    names = ("one", "two", "three")
    for name in names:
        yard.done("run", "-d", "--name", name, BASE, "sleep", "1000")
    disk = str(Path(yard.root).parent)
    # The logs are open for writing: the disk itself does not become read-only, but what shows it does.
    subprocess.run(["mount", "--bind", disk, disk], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", disk], check=True)
        assert yard.done("kill", "one") == "one"
        assert "1000" in yard.done("top", "two")
        assert yard.done("stop", "-t", "0", "two") == "two"
        assert yard.done("wait", "two") == "137"
        assert yard.done("kill", "three") == "three"
        networks = Path(yard.place.run, "networks")
        assert not [path for path in networks.iterdir() if len(path.stem) == 64]
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
    yard.done("rm", *names)
