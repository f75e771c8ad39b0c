"""A hostile container: a process that swaps directories with symlinks to a secret, as fast as it can."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SECRET = b"SECRET of the host"
INSIDE = b"inside of the root"
PAIRS = 4

# Exchanges each pair of names in turn; says how often when its input ends, or after so many.
_PROGRAM = """
import ctypes, os, select, sys
swap = ctypes.CDLL(None, use_errno=True).renameat2
names = [(b"d%d" % n, b"z%d" % n) for n in range(int(sys.argv[2]))]
os.fchdir(int(sys.argv[1]))
done, most = 0, int(sys.argv[3])
while done < most:
    for one, other in names * 25:
        if swap(-100, one, -100, other, 2):
            sys.exit(os.strerror(ctypes.get_errno()))
    done += len(names) * 25
    if select.select([0], [], [], 0)[0]:
        break
print(done)
"""


class Swapping:
    """A running swapper. `swaps` is how often it swapped, once it has ended."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.swaps = 0

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        out, _ = self._process.communicate()
        assert self._process.returncode == 0, out
        self.swaps = int(out)


def furnish(root: str, secret: Path) -> None:
    """Directories to be swapped, with a file each, and the symlinks that take their place."""
    secret.mkdir()
    (secret / "file").write_bytes(SECRET)
    for number in range(PAIRS):
        os.mkdir(f"{root}/d{number}")
        Path(root, f"d{number}", "file").write_bytes(INSIDE)
        os.symlink(secret, f"{root}/z{number}")


@contextlib.contextmanager
def swapping(root: int, swaps: int) -> Iterator[Swapping]:
    """Swap in the directory `root` refers to, `swaps` times or until the block ends."""
    words = [sys.executable, "-I", "-S", "-c", _PROGRAM, str(root), str(PAIRS), str(swaps)]
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=[root]
    )  # fmt: skip
    swapper = Swapping(process)
    try:
        yield swapper
    finally:
        swapper.end()
