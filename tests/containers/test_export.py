"""Export: the root's files and nothing else, whatever the container does meanwhile."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.containers.swapper import INSIDE, SECRET, furnish, swapping
from tests.layers.overlays import Overlay, merged, seen, tar_of

from millefeuille import kernel
from millefeuille.containers.export import export, export_to_file
from millefeuille.files import DiskFull
from millefeuille.layers.changes import changes
from millefeuille.layers.members import layer_members
from millefeuille.testing import file_faults
from millefeuille.transfer.archive.output import BadOutput

pytestmark = pytest.mark.walk
SLICE = 40_000
ALL = 400_000


@pytest.fixture
def root(tmp_path: Path) -> Iterator[int]:
    """A directory with a bit of everything."""
    top = tmp_path / "root"
    (top / "etc").mkdir(parents=True)
    (top / "etc/file").write_text("text")
    os.link(top / "etc/file", top / "hard")
    (top / "link").symlink_to("/etc/shadow")
    os.mkfifo(top / "pipe")
    descriptor = os.open(top, os.O_PATH | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def exported(root: int) -> bytes:
    out = io.BytesIO()
    export(root, out.write)
    return out.getvalue()


def test_everything_is_there(root: int, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "root/socket"))
    tar = exported(root)
    assert merged(tar) == seen(str(tmp_path / "root"))
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        assert archive.getnames() == ["etc", "etc/file", "hard", "link", "pipe"]  # Docker's order
        assert archive.getmember("hard").linkname == "etc/file"


def test_the_same_tree_gives_the_same_bytes(root: int) -> None:
    assert exported(root) == exported(root)


def test_to_a_file(root: int, tmp_path: Path) -> None:
    export_to_file(root, str(tmp_path / "out.tar"))
    assert (tmp_path / "out.tar").read_bytes() == exported(root)
    assert (tmp_path / "out.tar").stat().st_mode & 0o777 == 0o600
    (tmp_path / "link").symlink_to("out.tar")
    for path, words in (
        (".", "cannot write to a directory"), ("link", "cannot write to a symbolic link directly"),
        ("no/x", "invalid output path: stat .*/no: no such file or directory"),
        ("out.tar/x", "invalid output path: stat .*/out.tar: not a directory"),
    ):  # fmt: skip
        with pytest.raises(BadOutput, match=words):
            export_to_file(root, str(tmp_path / path))


def test_a_full_disk_leaves_no_file(root: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("millefeuille.files.hook", file_faults.hook(file_faults.parse("write:1:ENOSPC")))
    with pytest.raises(DiskFull):
        export_to_file(root, str(tmp_path / "out.tar"))
    assert sorted(os.listdir(tmp_path)) == ["root"]


def test_what_is_mounted_is_not_entered(root: int, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    (tmp_path / "volume").mkdir()
    (tmp_path / "volume/data").write_text("of the volume")
    (tmp_path / "bound").write_text("bound")
    places = [(tmp_path / "volume", tmp_path / "root/etc"), (tmp_path / "bound", tmp_path / "root/hard")]
    for source, target in places:
        mount = kernel.open_tree(str(source))
        kernel.move_mount(mount, str(target))
        os.close(mount)
    try:
        tar = exported(root)
    finally:
        for _, target in places:
            kernel.unmount(str(target), detach=True)
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        assert archive.getnames() == ["etc", "hard", "link", "pipe"]
        assert archive.getmember("hard").size == 0


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Overlay]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    with Overlay(tmp_path) as overlay:
        furnish(overlay.path, tmp_path / "secret")
        yield overlay


def naive(root: str) -> bytes:
    """What one would write first: by path."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path in (os.path.join(root, name) for name in os.listdir(root)):
            if os.path.isdir(path) and not os.path.islink(path):
                for name in os.listdir(path):
                    with contextlib.suppress(FileNotFoundError):
                        archive.add(os.path.join(path, name), name, recursive=False)
    return out.getvalue()


def test_a_naive_export_does_escape(hostile: Overlay) -> None:
    """The control: the swapper is fast enough to be dangerous."""
    escaped = False
    with swapping(hostile.root, 10_000_000) as swapper:
        while swapper.running and not escaped:
            escaped = SECRET in naive(f"{hostile.path}/.")
    assert escaped


@pytest.mark.long
def test_an_export_never_leaves_the_root(hostile: Overlay, all_cases: bool) -> None:
    exports = entered = 0
    with swapping(hostile.root, ALL if all_cases else SLICE) as swapper:
        while swapper.running:
            tar = exported(hostile.root)
            assert SECRET not in tar
            exports += 1
            entered += INSIDE in tar
    assert swapper.swaps >= (ALL if all_cases else SLICE)
    assert exports > 0
    assert entered > 0


@pytest.mark.long
def test_a_commit_never_leaves_the_root(hostile: Overlay, all_cases: bool) -> None:
    layers = entered = 0
    with hostile.written() as written, swapping(hostile.root, ALL if all_cases else SLICE) as swapper:
        while swapper.running:
            tar = tar_of(layer_members(changes(written)))
            assert SECRET not in tar
            layers += 1
            entered += INSIDE in tar
    assert swapper.swaps >= (ALL if all_cases else SLICE)
    assert layers > 0
    assert entered > 0
