"""The probe, on file systems of which the kernel can and cannot mount files."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.snapshots.erofs.trees import Layers, directory

from millefeuille import kernel
from millefeuille.snapshots import attach
from millefeuille.snapshots.erofs.mount import mount_chain
from millefeuille.snapshots.erofs.probe import probe
from millefeuille.values import replace

pytestmark = pytest.mark.walk


@pytest.fixture
def tmpfs(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of this test's own."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    descriptor = attach.detached("tmpfs", (("source", "tmpfs"), ("size", "4m")))
    kernel.move_mount(descriptor, str(tmp_path))
    os.close(descriptor)
    yield tmp_path
    kernel.unmount(str(tmp_path), detach=True)


def test_files_on_a_disk(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    if os.stat(tmp_path).st_dev == os.stat("/dev/shm").st_dev:
        pytest.skip("temporary files lie in memory here")
    backing, reason = probe(str(tmp_path))
    assert backing in ("file", "loop"), reason
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("memory", [True, False])
def test_the_end_of_a_layer_that_fills_no_block(
    memory: bool, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if memory or os.geteuid() != 0:
        request.getfixturevalue("tmpfs")
    layers = Layers(tmp_path)
    content = os.urandom(5000)
    whole = layers.chain(directory({b"a": layers.file(content)}))
    size = whole.layers[0].size
    while size % 512 != 5000 % 512:
        size -= 1
    os.truncate(whole.layers[0].path, size)  # as writers leave it that do not fill up their last block
    mount, backing = mount_chain(replace(whole, layers=(replace(whole.layers[0], size=size),)))
    try:
        with open(os.open("a", os.O_RDONLY, dir_fd=mount), "rb") as file:
            assert file.read() == content
        assert backing == "loop" or not memory
    finally:
        os.close(mount)


def test_files_in_memory_go_through_loop_devices(tmpfs: Path) -> None:
    assert probe(str(tmpfs)) == ("loop", "the kernel mounts loop devices only, here")
    assert os.listdir(tmpfs) == []
    # The kernel frees a device a moment after its last user.
    deadline = time.monotonic() + 10
    while loops(tmpfs) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert loops(tmpfs) == []


def test_without_permission() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to give it up")
    # Not below the test's own directory, which nobody else may enter.
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            # In a child, as a process cannot get its privileges back.
            os.setuid(65534)
            os.write(writing, repr(probe(directory)).encode())
            os._exit(0)
        os.waitpid(child, 0)
        os.close(writing)
        with open(reading) as file:
            answer = file.read()
        assert answer.startswith("(None, ") and "not permitted" in answer
        assert os.listdir(directory) == []


def loops(directory: Path) -> list[str]:
    """The files below `directory` that loop devices stand for."""
    files = map(backing, Path("/sys/block").glob("loop*"))
    return [file for file in files if file.startswith(str(directory))]


def backing(device: Path) -> str:
    try:
        return (device / "loop/backing_file").read_text()
    except FileNotFoundError:
        return ""
