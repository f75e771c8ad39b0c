"""The system calls, on the kernel that runs the tests."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from millefeuille import kernel


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "root/inner").mkdir(parents=True)
    (tmp_path / "root/file").write_text("inside")
    (tmp_path / "file").write_text("outside")
    for name, target in {"up": "../file", "absolute": "/file", "far": "../../../../../../file"}.items():
        os.symlink(target, tmp_path / "root/inner" / name)
    descriptor = os.open(tmp_path / "root", os.O_PATH)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize(
    "path", ["file", "/file", "inner/up", "inner/absolute", "inner/far", "../file", "inner/../../file"]
)
def test_no_path_leads_out_of_the_root(root: int, path: str) -> None:
    descriptor = kernel.openat2(root, path, os.O_RDONLY, resolve=kernel.RESOLVE_IN_ROOT)
    with open(descriptor) as file:
        assert file.read() == "inside"
    assert not os.path.exists(f"/proc/self/fd/{descriptor}")


def test_descriptors_are_not_inherited(root: int) -> None:
    descriptor = kernel.openat2(root, "file", os.O_RDONLY, resolve=kernel.RESOLVE_IN_ROOT)
    try:
        assert not os.get_inheritable(descriptor)
    finally:
        os.close(descriptor)


def test_errors_carry_the_kernels_number(root: int) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        kernel.openat2(root, "absent", os.O_RDONLY, resolve=kernel.RESOLVE_IN_ROOT)
    with pytest.raises(OSError) as caught:
        kernel.openat2(root, "inner/far", os.O_RDONLY, resolve=kernel.RESOLVE_BENEATH)
    assert caught.value.errno == errno.EXDEV


@pytest.mark.walk
def test_a_mount_by_descriptors(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    context = kernel.fsopen("tmpfs")
    with pytest.raises(OSError):
        kernel.configure(context, "no-such-option", "1")
    assert any("no-such-option" in line for line in kernel.messages(context))
    kernel.configure(context, "size", "1m")
    kernel.create(context)
    mount = kernel.fsmount(context, kernel.ATTR_NODEV)
    os.close(context)
    Path(f"/proc/self/fd/{mount}/seen").write_text("x")
    kernel.move_mount(mount, str(tmp_path))
    os.close(mount)
    try:
        assert os.listdir(tmp_path) == ["seen"]
        copy = kernel.open_tree(str(tmp_path))
        kernel.mount_setattr("", directory=copy, set=kernel.ATTR_RDONLY)
        with pytest.raises(OSError, match="Read-only"):
            Path(f"/proc/self/fd/{copy}/new").touch()
        os.close(copy)
        (tmp_path / "new").touch()
    finally:
        kernel.unmount(str(tmp_path))
    assert os.listdir(tmp_path) == []
    with pytest.raises(OSError) as caught:
        kernel.unmount(str(tmp_path))
    assert caught.value.errno == errno.EINVAL


@pytest.mark.walk
def test_a_loop_device(tmp_path: Path) -> None:
    if os.geteuid() != 0 or not os.path.exists("/dev/loop-control"):
        pytest.skip("needs root and loop devices")
    content = os.urandom(8192)
    (tmp_path / "image").write_bytes(content)
    descriptor = os.open(tmp_path / "image", os.O_RDONLY)
    path, device = kernel.loop_device(descriptor)
    os.close(descriptor)
    try:
        assert os.read(device, 10000) == content
        assert (Path("/sys/block") / Path(path).name / "ro").read_text() == "1\n"
    finally:
        os.close(device)
