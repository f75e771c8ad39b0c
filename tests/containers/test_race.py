"""A container that swaps a directory for a symlink while files are copied: nothing leads out of its root.

CVE-2018-15664 and its kin: what was a directory when it was looked at is a link to the host when it is used.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.containers.trees import make, opened, seen

from millefeuille.containers.copying import from_container, from_host, to_container, to_host
from millefeuille.containers.paths import Root
from millefeuille.containers.placing import mine
from millefeuille.errors import MilleError
from millefeuille.layers.following import follow

# Exchanges two names, again and again, and counts how often; it knows nothing of the code under test.
SWAPPER = """
import ctypes, mmap, os, struct, sys
first, second, counter = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
with open(counter, "r+b") as file, mmap.mmap(file.fileno(), 8) as count:
    swaps = 0
    while os.getppid() != 1:
        if libc.renameat2(-100, first.encode(), -100, second.encode(), 2) != 0:
            raise OSError(ctypes.get_errno(), "renameat2")
        swaps += 1
        count[:8] = struct.pack("Q", swaps)
"""


class Swaps:
    """The swapper at work."""

    def __init__(self, count: mmap.mmap) -> None:
        self._count = count

    @property
    def done(self) -> int:
        return int(struct.unpack("Q", self._count[:8])[0])


@contextlib.contextmanager
def swapping(root: Path, counter: Path) -> Iterator[Swaps]:
    counter.write_bytes(bytes(8))
    command = [sys.executable, "-c", SWAPPER, str(root / "swap"), str(root / "other"), str(counter)]
    process = subprocess.Popen(command)
    try:
        with counter.open("r+b") as file, mmap.mmap(file.fileno(), 8) as count:
            yield Swaps(count)
            assert process.poll() is None, "nothing was swapped any more"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(params=["absolute", "relative"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A root with a directory `swap` and, beside it, a link to a directory of the host."""
    make(tmp_path / "outside", {"f": "SECRET", "d/f": "SECRET", "w": None})
    made = make(tmp_path / "root", {"swap/f": "inside", "swap/d/f": "inside", "swap/w": None})
    target = "../outside" if request.param == "relative" else str(tmp_path / "outside")
    (made / "other").symlink_to(target)
    return made


def until(swaps: Swaps, wanted: int, act: Callable[[int], object]) -> tuple[int, int]:
    """Act until enough was swapped; how often that went well, and how often it was refused."""
    done = refused = 0
    # However fast the swapper is, there are some hundred acts.
    while swaps.done < wanted or done + refused < 300:
        try:
            act(done + refused)
            done += 1
        except (MilleError, OSError):
            refused += 1
    return done, refused


@pytest.fixture
def wanted(all_cases: bool) -> int:
    return 100_000 if all_cases else 4_000


def test_copying_out(root: Path, wanted: int, tmp_path: Path) -> None:
    make(tmp_path / "copies", {})

    def act(number: int) -> None:
        path = ("/swap/f", "/swap", "/swap/.", "/swap/d")[number % 4]
        with opened(root) as descriptor, from_container(descriptor, "box", path) as source:
            to_host(source, f"{tmp_path}/copies/{number % 4}")

    with swapping(root, tmp_path / "count") as swaps:
        done, refused = until(swaps, wanted, act)
    assert "SECRET" not in seen(tmp_path / "copies").values()
    assert (done > 0, refused > 0) == (True, True)


def test_copying_in(root: Path, wanted: int, tmp_path: Path) -> None:
    make(tmp_path / "given", {"f": "given", "t/sub/g": "given"})
    before = seen(tmp_path / "outside")

    def act(number: int) -> None:
        path, target = (("f", "/swap/new"), ("t", "/swap/d"), ("t/.", "/swap/w"), ("f", "/swap/f"))[
            number % 4
        ]
        with opened(root) as descriptor, from_host(f"{tmp_path}/given/{path}") as source:
            to_container(source, descriptor, "box", target, owner=mine)

    with swapping(root, tmp_path / "count") as swaps:
        done, _ = until(swaps, wanted, act)
    assert seen(tmp_path / "outside") == before
    assert done


def test_making_a_working_directory(root: Path, wanted: int, tmp_path: Path) -> None:
    before = seen(tmp_path / "outside")

    def act(number: int) -> None:
        with opened(root) as descriptor:
            os.close(Root(descriptor).make_directories(b"/swap/w/a/%d" % (number % 500)))

    with swapping(root, tmp_path / "count") as swaps:
        until(swaps, wanted, act)
    assert seen(tmp_path / "outside") == before
    assert any("w/a/" in path for path in seen(root))


def test_the_race_is_one_that_careless_code_loses(root: Path, tmp_path: Path) -> None:
    """Docker's way until 2018: the path is resolved within the root, then opened as a path of the host."""
    stolen = 0

    def link_at(path: bytes) -> bytes | None:
        full = os.path.join(os.fsencode(root), path)
        return os.readlink(full) if os.path.islink(full) else None

    def act(number: int) -> None:
        nonlocal stolen
        resolved = os.path.join(os.fsencode(root), follow(b"/swap/f", link_at, leaf=True))
        with open(resolved, "rb") as file:
            stolen += file.read() == b"SECRET"
        os.makedirs(os.path.join(os.fsencode(root), follow(b"/swap/w", link_at, leaf=True), b"%d" % number))

    with swapping(root, tmp_path / "count") as swaps:
        while not (stolen and len(os.listdir(tmp_path / "outside/w"))) and swaps.done < 3_000_000:
            until(swaps, swaps.done + 1_000, act)
    assert stolen, "no secret was read: this race tests nothing"
    assert os.listdir(tmp_path / "outside/w"), "nothing was made outside: this race tests nothing"
