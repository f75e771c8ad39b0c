"""Kill -9 in the midst of a step: the next build puts everything in order, and works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.build.running import doomed
from tests.build.running.steps import Steps

import millefeuille
from millefeuille.build.running import caches, kept
from millefeuille.build.running.sweep import sweep
from millefeuille.build.running.wish import Cache, HostTree
from millefeuille.runtime.invocation import RuntimeMissing
from millefeuille.snapshots.chain import Chain

pytestmark = pytest.mark.walk

TOP = Path(__file__).parents[3]
SOURCE = Path(millefeuille.__file__).parents[1]


@pytest.fixture
def survivors(tmp_path: Path, busybox_chain: Chain) -> Iterator[Steps]:
    """What the next build has, after which nothing may be left."""
    if os.geteuid() != 0:
        pytest.skip("running containers needs root")
    (tmp_path / "context").mkdir()
    (tmp_path / "context/file").write_text("first\n")
    try:
        made = doomed.steps(tmp_path, busybox_chain)
    except RuntimeMissing as missing:
        pytest.skip(str(missing))
    yield made
    kept.prune(made.host)
    made.host.snapshots.release_idle()
    made.check()
    assert not [path for path in (tmp_path / "run/chains").glob("*") if path.name != "lock"]


def start(top: Path, chain: Chain, limit: int, script: str) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-W", "error", f"{TOP}/tests/build/running/doomed.py"]
    return subprocess.Popen(
        [*program, str(top), doomed.written(chain), str(limit), script],
        env={"PYTHONPATH": f"{SOURCE}:{TOP}", "PATH": os.environ["PATH"]}, stdout=subprocess.PIPE,
    )  # fmt: skip


def finish(process: subprocess.Popen[bytes]) -> int:
    with process:
        output, _ = process.communicate(timeout=60)
    return int(output) if output else 0


def hold_order(survivors: Steps) -> None:
    """Sweep, and hold that there is nothing to sweep any more, and that a step works."""
    sweep(survivors.host)
    assert sweep(survivors.host) == []
    ids = {root.id for root in kept.kept_roots(survivors.host)}
    assert set(survivors.host.snapshots) == ids
    top = Path(survivors.host.work).parent
    mount = Cache(target="/cache", seed=HostTree(root=str(top / "context")))
    survivors.sh("cat /cache/file; echo x > /new", mounts=(mount,))
    assert survivors.output == "first\n"


@pytest.mark.parametrize("script", ["echo x > /srv/new", "exit 3"])
def test_at_each_act(
    survivors: Steps, tmp_path: Path, busybox_chain: Chain, script: str, all_cases: bool
) -> None:
    limit = total = 0
    while limit <= total:
        caches.prune(survivors.host.caches, lambda _: True)
        survivors.host.snapshots.release_idle()
        process = start(tmp_path, busybox_chain, limit, script)
        total = finish(process) or total
        # It locks a little more or less often from one time to the next.
        assert process.returncode == (-signal.SIGKILL if 0 < limit < total - 5 else process.returncode)
        hold_order(survivors)
        limit += 1 if all_cases else 1 + total // 9
    assert total > 50


def test_while_the_command_runs(survivors: Steps, tmp_path: Path, busybox_chain: Chain) -> None:
    long = str(1_000_000 + os.getpid())  # as nobody else's sleep is
    process = start(tmp_path, busybox_chain, 0, f"touch /cache/begun; sleep {long}")
    directory = tmp_path / "work/cache-mounts"
    deadline = time.monotonic() + 20
    while not list(directory.glob("*/0/begun")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    finish(process)
    assert running(f"sleep\0{long}")
    hold_order(survivors)
    assert not running(f"sleep\0{long}")


def running(words: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_text().startswith(words):
                found.append(path.parent.name)
        except OSError:
            continue
    return found


def test_after_a_restart_of_the_machine(survivors: Steps, tmp_path: Path, busybox_chain: Chain) -> None:
    """What a boot forgets is gone, what is on the disk is there."""
    process = start(tmp_path, busybox_chain, 60, "true")
    finish(process)
    assert process.returncode == -signal.SIGKILL
    assert list(survivors.host.snapshots)
    subprocess.run(["rm", "-rf", str(tmp_path / "run/bundles")], check=True)
    hold_order(survivors)
