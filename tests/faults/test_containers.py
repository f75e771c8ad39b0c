"""kill -9 of commands, of monitors and of runtimes around a container: after one further command there is no
mount, process or file too many.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.faults.household import MILLE, Household

from millefeuille.runtime import cgroup, namespaces
from millefeuille.testing.images import MadeImage
from millefeuille.testing.images import push as push_image
from millefeuille.testing.servers import RegistryServer

pytestmark = pytest.mark.walk

RUN = ("run", "-d", "--network", "none", "--name", "one", "busybox", "sleep", "1000")
BRIDGED = ("run", "-d", "-p", "127.0.0.1::80", "--name", "one", "busybox", "sleep", "1000")
SCENARIOS: dict[str, tuple[Sequence[str], Sequence[Sequence[str]]]] = {
    "run -d": (RUN, ()),
    "run -d on a bridge": (BRIDGED, ()),
    "run --rm": (("run", "--rm", "--network", "none", "--name", "one", "busybox", "true"), ()),
    "create": (("create", "-v", "/data", "--name", "one", "busybox", "true"), ()),
    "stop": (("stop", "-t", "0", "one"), (RUN,)),
    "rm -f": (("rm", "-f", "one"), (BRIDGED,)),
    "commit": (("commit", "one", "made:1"), (RUN, ("exec", "one", "touch", "/new"))),
}


@pytest.fixture
def household(tmp_path: Path, busybox: MadeImage, registry_server: RegistryServer) -> Iterator[Household]:
    if os.geteuid() != 0:
        pytest.skip("containers in namespaces of the host need root")
    push_image(busybox, registry_server.address, "library/busybox", "latest")
    made = Household(tmp_path / "store")
    name = f"{registry_server.address}/library/busybox:latest"
    made.done("pull", "-q", name)
    made.done("tag", name, "busybox")
    yield made
    assert made.remnants() == []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_kill_of_the_command_at_every_operation(
    household: Household, tmp_path: Path, scenario: str, all_cases: bool, record_property: object
) -> None:
    act, before = SCENARIOS[scenario]
    trace = tmp_path / "trace"
    _given(household, before)
    household.mille(*act, trace=str(trace))
    points = trace.read_text().splitlines()
    assert len(points) >= 5
    for number in _chosen(points, scenario, everything=all_cases):
        assert household.remnants() == []
        household.mille("rmi", "-f", "made:1")
        _given(household, before)
        struck = household.mille(*act, fault=f"*:{number}:kill")
        assert struck.returncode in (-signal.SIGKILL, 0), (number, points[number - 1], struck.stderr)
        household.mille("kill", "nobody")
        _settle(household)
        assert household.inconsistencies() == [], (number, points[number - 1])


def test_kill_of_the_monitor_at_random_moments(household: Household, all_cases: bool) -> None:
    chance = random.Random(7)
    for _ in range(100 if all_cases else 8):
        process = subprocess.Popen(
            [MILLE, "--root", household.root, *RUN],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 10
        while not household.monitors() and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(chance.random() * 0.08)
        for victim in household.monitors():
            _kill(victim)
        process.wait(20)
        told = household.mille("kill", "nobody").stderr
        assert household.inconsistencies() == [], told
        assert household.monitors() == []
        assert household.remnants() == []


def test_kill_of_the_process_is_told(household: Household) -> None:
    household.done(*RUN)
    _kill(household.state("one").pid)
    assert household.done("wait", "one") == "137"
    assert household.inconsistencies() == []


def test_a_restart_of_the_machine_leaves_records_only(household: Household) -> None:
    household.done(*BRIDGED)
    for victim in household.monitors():
        _kill(victim)
    for path in household.mounts():
        subprocess.run(["umount", "-l", path], check=True)
    household.mille("kill", "nobody")
    assert household.inconsistencies() == []
    assert (household.state("one").status, household.state("one").exit_code) == ("exited", 137)
    household.done("start", "one")
    assert household.done("exec", "one", "echo", "back") == "back"


def test_a_copy_of_a_store_leaves_what_the_first_runs_alone(household: Household) -> None:
    household.done(*BRIDGED)
    shutil.copytree(household.root, f"{household.root}-copy", symlinks=True)
    copy = Household(Path(f"{household.root}-copy"))
    copy.done("start", "one")
    assert (household.state("one").status, copy.state("one").status) == ("running", "running")
    told = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    assert household.done("inspect", "-f", told, "one") != copy.done("inspect", "-f", told, "one")
    household.done("pause", "one")
    assert copy.state("one").status == "running" and copy.done("exec", "one", "echo", "on") == "on"
    household.done("unpause", "one")
    copy.done("rm", "-f", "one")
    assert copy.remnants() == []
    assert household.state("one").status == "running"
    assert household.done("exec", "one", "echo", "on") == "on"


def test_what_an_order_says_of_control_groups_counts(household: Household) -> None:
    container = household.done("create", "--network", "none", "--name", "one", "busybox", "true")
    group = cgroup.path(container)  # as an earlier version had it
    held = Path(f"{cgroup.ROOT}{'/pids' if namespaces.is_hybrid() else ''}{group}")
    held.mkdir(parents=True)
    process = subprocess.Popen(["sleep", "1000"])
    (held / "cgroup.procs").write_text(str(process.pid))
    os.makedirs(f"{household.place.runtime}/{container}", exist_ok=True)
    os.makedirs(household.place.bundle(container))
    order = json.dumps({"groups": cgroup.directories(group)})
    Path(household.place.order(container)).write_text(order)
    household.mille("kill", "nobody")
    assert process.wait(10) == -signal.SIGKILL
    assert not held.exists()


def test_a_process_that_ignores_sigterm_is_killed(household: Household) -> None:
    household.done(*RUN[:-3], "busybox", "sh", "-c", "trap '' TERM; while :; do sleep 1; done")
    began = time.monotonic()
    household.done("stop", "-t", "1", "one")
    assert time.monotonic() - began >= 1
    assert household.state("one").exit_code == 137


def _given(household: Household, commands: Sequence[Sequence[str]]) -> None:
    for words in commands:
        household.done(*words)


def _chosen(points: Sequence[str], name: str, *, everything: bool) -> Sequence[int]:
    """Which operations are struck, counted from 1: one of every sixth call site, or all."""
    if everything:
        return range(1, len(points) + 1)
    first = {point: number for number, point in reversed([*enumerate(points, 1)])}
    return sorted(random.Random(name).sample(sorted(first.values()), max(3, len(first) // 8)))


def _settle(household: Household) -> None:
    """A monitor that was just ending may still be at it."""
    deadline = time.monotonic() + 5
    while household.inconsistencies() and time.monotonic() < deadline:
        time.sleep(0.05)
        household.mille("kill", "nobody")


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
