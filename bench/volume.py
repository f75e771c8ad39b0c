"""A fresh ext4 in a loop file, on which the stores of all contestants stand."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from millefeuille.errors import Failed
from millefeuille.testing.servers import program

_SIZE: Final = 16 << 30  # bytes
_CHUNK: Final = 16 << 20
_SPACE_TIMEOUT: Final = 300.0  # seconds


class SpaceNotFreed(Failed):
    """A removal ended, and the file system never got its space back."""


@contextlib.contextmanager
def volume(directory: Path) -> Iterator[Path]:
    """The mount point of a new ext4 whose loop file stands in `directory`. Needs root."""
    image, point = directory / "volume.ext4", directory / "volume"
    point.mkdir()
    # Not sparse: what is measured is a file system on a disk, not how fast another one below finds room.
    zeros = bytes(_CHUNK)
    with image.open("wb", buffering=0) as file:
        for _ in range(_SIZE // _CHUNK):
            file.write(zeros)
        os.fsync(file.fileno())
    # Without the lazy work that the kernel would otherwise do in the background of the first runs.
    options = ["-E", "lazy_itable_init=0,lazy_journal_init=0"]
    subprocess.run([program("mkfs.ext4"), "-q", "-F", *options, str(image)], check=True)
    with contextlib.ExitStack() as stack:
        stack.callback(image.unlink)
        device = _attach(image)
        stack.callback(subprocess.run, [program("losetup"), "--detach", device], check=False)
        subprocess.run([program("mount"), device, str(point)], check=True)
        stack.callback(subprocess.run, [program("umount"), "--recursive", str(point)], check=False)
        yield point


def _attach(image: Path) -> str:
    """The loop device of a file; past the page cache, so that no byte is cached twice."""
    command = [program("losetup"), "--find", "--show", "--direct-io=on", str(image)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def syncfs(directory: Path) -> None:
    """Wait until all that was written to the file system of `directory` is on its disk (syncfs(2))."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(descriptor) != 0:
            raise OSError(ctypes.get_errno(), "syncfs failed", str(directory))
    finally:
        os.close(descriptor)


def free_bytes(directory: Path) -> int:
    """The bytes that statvfs(3) calls free."""
    status = os.statvfs(directory)
    return status.f_bfree * status.f_frsize


def await_free(directory: Path, wanted: int) -> None:
    """Return once at least `wanted` bytes are free. Raises SpaceNotFreed."""
    deadline = time.monotonic() + _SPACE_TIMEOUT
    while free_bytes(directory) < wanted:
        if time.monotonic() > deadline:
            raise SpaceNotFreed(f"{directory}: {wanted - free_bytes(directory)} bytes are still taken")
        time.sleep(0.002)
        syncfs(directory)


def settle(*warm: Path) -> None:
    """Equal conditions for every run: nothing left to write, no cache but for the files `warm`."""
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3")
    for path in warm:
        with path.open("rb") as file:
            while file.read(1 << 20):
                pass
