"""What killed commands leave beside the database goes with the first command that gives room back, and
`system check` knows of it until then.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.household import MILLE
from tests.faults.yard import BASE, Yard

pytestmark = pytest.mark.walk

CLEARING = (
    ("image", "prune", "-f"), ("builder", "prune", "-f"), ("system", "prune", "-f"),
    ("system", "check", "--repair"),
)  # fmt: skip


def processes(words: str) -> list[str]:
    """The command lines that are `words`."""
    wanted = words.encode().replace(b" ", b"\0") + b"\0"
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                line = Path(f"/proc/{name}/cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if line == wanted:
                found.append(name)
    return found


def awaited(condition: Callable[[], object], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(condition())


@pytest.mark.parametrize("words", CLEARING, ids=" ".join)
def test_a_step_of_a_killed_build(yard: Yard, words: tuple[str, ...]) -> None:
    sleeping = f"sleep 98{CLEARING.index(words)}76"
    build = yard.words(f"FROM {BASE}\nRUN dd if=/dev/zero of=/x bs=1M count=3 && {sleeping}\n")
    begun = subprocess.Popen([MILLE, "--root", yard.root, *build], stderr=subprocess.DEVNULL)
    assert awaited(lambda: processes(sleeping))
    before = int(yard.done("system", "check").split(" bytes")[0].rpartition(" ")[2])
    begun.kill()
    begun.wait()
    after = int(yard.done("system", "check").split(" bytes")[0].rpartition(" ")[2])
    assert (before < 1 << 20, after >= 3 << 20) == (True, True), "of nobody's only when nobody has it"
    assert processes(sleeping)
    yard.done(*words)
    assert awaited(lambda: not processes(sleeping), 5)
    assert os.listdir(f"{yard.root}/snapshots") == os.listdir(f"{yard.root}/build/scratch") == []
    assert ", 0 bytes of nobody's" in yard.done("system", "check")
    assert yard.mounts() == []


def test_a_step_that_goes_on_is_left_alone(yard: Yard) -> None:
    dockerfile = f"FROM {BASE}\nRUN echo one > /one; sleep 4; cat /one\n"
    build = subprocess.Popen([MILLE, "--root", yard.root, *yard.words(dockerfile)])
    assert awaited(lambda: processes("sleep 4"))
    for words in CLEARING:
        yard.done(*words)
    assert build.wait() == 0


def test_a_mount_killed_at_every_operation(yard: Yard, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    yard.mille("image", "mount", BASE, trace=str(trace))
    yard.done("image", "unmount", "--all")
    wrong = []
    for number in range(1, len(trace.read_text().splitlines()) + 1):
        yard.mille("image", "mount", BASE, fault=f"*:{number}:kill")
        yard.done("image", "prune", "-f")
        left = os.listdir(f"{yard.root}/snapshots"), len(yard.mounts())
        known = len(yard.done("image", "mount").splitlines()) - 1
        yard.done("image", "unmount", "--all")
        if left != ([], known):
            wrong.append((number, left, known))
    assert wrong == []


def test_a_removed_image_is_mounted_no_more(yard: Yard) -> None:
    yard.done("tag", BASE, "other:1")
    yard.done("run", "-d", "--network", "none", "--name", "one", BASE, "sleep", "1000")
    assert yard.mounts(), "by the driver that mounts chains"
    yard.done("rm", "-f", "one")
    assert yard.mounts() == []
    # A monitor that is killed lets go of nothing; the image can be removed while its chain is mounted.
    yard.done("run", "-d", "--network", "none", "--name", "two", BASE, "sleep", "1000")
    yard.done("rm", "-f", "two")
    assert yard.done("image", "rm", "other:1", BASE)
    assert yard.mounts() == []


def test_a_list_ends_what_a_killed_monitor_left(yard: Yard) -> None:
    yard.done("run", "-d", "--network", "none", "--name", "one", BASE, "sleep", "98776")
    for pid in yard.monitors():
        os.kill(pid, signal.SIGKILL)
    assert processes("sleep 98776")
    assert yard.done("ps", "-a", "--format", "{{.Names}} {{.Status}}").startswith("one Exited (137)")
    assert not processes("sleep 98776")
    yard.done("rm", "one")
