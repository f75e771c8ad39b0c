"""Further processes in a running container, terminals, changed limits, and what is counted."""

from __future__ import annotations

import array
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.runtime.box import Box

from millefeuille.runtime import cgroup, execution, limits, namespaces
from millefeuille.runtime.execution import NoExecCommand, Wanted
from millefeuille.runtime.process import InvalidDirectory
from millefeuille.runtime.runc import Runc
from millefeuille.runtime.runtime import Refused, Stdio
from millefeuille.runtime.usage import Usage, usage
from millefeuille.runtime.users import NoSuchUser

pytestmark = pytest.mark.walk

CONFIG = {"Env": ["A=container", "B=container"], "WorkingDir": "/srv", "User": "web", "Hostname": "here"}


class Running:
    """A container that sleeps."""

    def __init__(self, box: Box, **host_config: Any) -> None:
        self.box = box
        self.host_config = host_config
        self.id, bundle = box.bundle("sleep", "60", config=CONFIG, **host_config)
        self.pid = box.runtime.create(self.id, bundle, Stdio(stdout=None, stderr=None))
        box.runtime.start(self.id)
        self._count = 0

    def document(self, wanted: Wanted) -> dict[str, Any]:
        root = os.open(f"/proc/{self.pid}/root", os.O_PATH)
        try:
            return execution.document(root, CONFIG, self.host_config, wanted)
        finally:
            os.close(root)

    def directory(self) -> str:
        self._count += 1
        path = self.box.top / f"exec{self._count}"
        path.mkdir()
        return str(path)

    def sh(self, script: str, **wishes: Any) -> str:
        reading, writing = os.pipe()
        document = self.document(Wanted(arguments=("sh", "-c", script), **wishes))
        stdio = Stdio(stdout=writing, stderr=writing)
        attached = self.box.runtime.exec(self.id, document, self.directory(), stdio)
        os.close(writing)
        with open(reading, "rb") as file:
            output = file.read().decode()
        assert attached.wait() == 0, output
        return output


@pytest.fixture
def running(box: Box) -> Iterator[Running]:
    made = Running(box)
    yield made
    box.runtime.delete(made.id)


def test_as_the_container_has_it(running: Running) -> None:
    lines = running.sh("pwd; id -u; id -G; ls /proc/self/fd; env").splitlines()
    assert lines[:3] == ["/srv", "33", "34 50"]
    assert lines[3:7] == ["0", "1", "2", "3"]
    assert {"A=container", "B=container", "HOSTNAME=here", "HOME=/srv"} <= set(lines)


def test_as_it_is_asked_for(running: Running) -> None:
    script = "pwd; id -u; env; cat /proc/self/status"
    output = running.sh(script, environment=("B=exec", "C=exec"), directory="/tmp", user="root")
    assert output.startswith("/tmp\n0\n")
    assert {"A=container", "B=exec", "C=exec", "HOME=/root"} <= set(output.splitlines())
    assert "CapEff:\t00000000a80425fb" in output
    assert "Seccomp:\t2" in output


def test_the_umask_is_not_the_callers(running: Running) -> None:
    before = os.umask(0o077)
    try:
        assert running.sh("umask") == "0022\n"
    finally:
        os.umask(before)


def test_privileged(running: Running) -> None:
    ours = next(line for line in Path("/proc/self/status").read_text().splitlines() if "CapBnd" in line)
    output = running.sh("cat /proc/self/status", privileged=True, user="root")
    assert ours.replace("CapBnd", "CapEff") in output


def test_what_cannot_be_run(running: Running) -> None:
    with pytest.raises(NoExecCommand, match="No exec command specified"):
        running.document(Wanted(arguments=()))
    with pytest.raises(InvalidDirectory):
        running.document(Wanted(arguments=("true",), directory="/proc/self/fd/3"))
    with pytest.raises(NoSuchUser, match="unable to find user nosuch"):
        running.document(Wanted(arguments=("true",), user="nosuch"))


def terminal_of(listener: socket.socket) -> int:
    listener.settimeout(20)
    connection = listener.accept()[0]
    with connection:
        _, parts, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
    return array.array("i", parts[0][2])[0]


def read_all(terminal: int) -> str:
    data = b""
    while True:
        try:
            some = os.read(terminal, 4096)
        except OSError:
            return data.decode()
        if not some:
            return data.decode()
        data += some


def listening(tmp_path: Path) -> tuple[socket.socket, str]:
    listener = socket.socket(socket.AF_UNIX)
    path = str(tmp_path / "console")
    listener.bind(path)
    listener.listen(1)
    return listener, path


SHOW = "stty size 2>/dev/null || /bin/busybox stty size; tty 2>/dev/null || /bin/busybox tty; env"


def shown(output: str) -> Mapping[str, bool]:
    return {word: word in output for word in ("24 80", "/dev/pts/0", "TERM=xterm")}


def test_a_terminal(box: Box, tmp_path: Path) -> None:
    listener, path = listening(tmp_path)
    with listener:
        id, bundle = box.bundle("sh", "-c", SHOW, config={"Tty": True}, ConsoleSize=[24, 80])
        box.runtime.create(id, bundle, Stdio(stdout=None, stderr=None), console=path)
        terminal = terminal_of(listener)
    box.runtime.start(id)
    assert all(shown(read_all(terminal)).values())
    os.close(terminal)


def test_a_terminal_for_exec(running: Running, tmp_path: Path) -> None:
    listener, path = listening(tmp_path)
    document = running.document(Wanted(arguments=("sh", "-c", SHOW), terminal=True, console=(24, 80)))
    with listener:
        running.box.runtime.exec_detached(
            running.id, document, running.directory(), Stdio(stdout=None, stderr=None), console=path
        )
        terminal = terminal_of(listener)
    assert all(shown(read_all(terminal)).values())
    os.close(terminal)


def test_update(running: Running) -> None:
    running.box.runtime.update(running.id, {})
    running.box.runtime.update(running.id, limits.resources({"Memory": 32 << 20, "PidsLimit": 50}))
    told = usage(running.pid, running.id)
    assert told is not None
    assert (told.memory_limit, told.processes_limit) == (32 << 20, 50)
    running.box.runtime.update(running.id, limits.resources({"PidsLimit": -1}))
    again = usage(running.pid, running.id)
    assert again is not None
    assert (again.memory_limit, again.processes_limit) == (32 << 20, 0)
    with pytest.raises(Refused):
        running.box.runtime.update("none", {"pids": {"limit": 5}})


def test_usage(running: Running) -> None:
    # The runtime's own threads are there until the program has taken their place.
    while "sleep" not in Path(f"/proc/{running.pid}/cmdline").read_text():
        time.sleep(0.01)
    before = usage(running.pid, running.id)
    assert before is not None
    assert (before.processes, before.processes_limit, before.memory_limit, before.networks) == (1, 0, 0, {})
    running.sh("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
    after = usage(running.pid, running.id)
    assert after is not None
    assert after.cpu > before.cpu
    assert after.cpu_user >= before.cpu_user
    assert 0 < after.memory < 1 << 30
    assert after.memory_cache <= after.memory
    assert usage(2**22 + 1, running.id) is None


def test_traffic() -> None:
    told = usage(os.getpid(), "none")
    assert told is not None
    assert isinstance(told, Usage)
    assert "lo" not in told.networks
    # The group that it is in is not this container's.
    assert (told.cpu, told.memory, told.processes) == (0, 0, 0)
    for traffic in told.networks.values():
        assert traffic.received_bytes >= traffic.received_packets


def test_an_oom_is_noticed_in_the_right_container(box: Box) -> None:
    script = "sleep 60 & dd if=/dev/zero of=/dev/null bs=64M count=2; exec sleep 60"
    hungry, bundle = box.bundle("sh", "-c", script, Memory=16 << 20, MemorySwap=16 << 20)
    quiet, other = box.bundle("sleep", "60")
    for id, path in ((hungry, bundle), (quiet, other)):
        box.runtime.create(id, path, Stdio(stdout=None, stderr=None))
        box.runtime.start(id)
    deadline = time.monotonic() + 20
    while not cgroup.oom_killed(box.runtime.group(hungry)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert not cgroup.oom_killed(box.runtime.group(quiet))
    assert not cgroup.oom_killed(box.runtime.group("nosuch"))


def test_counters_of_both_versions() -> None:
    assert cgroup.oom_counters(cgroup.path("x", "/a/")) == [
        "/sys/fs/cgroup/a/x/memory.events",
        "/sys/fs/cgroup/memory/a/x/memory.oom_control",
    ]
    with pytest.raises(cgroup.InvalidParent):
        cgroup.path("x", "/a/../../b")
    for name in ("", "a/b"):
        with pytest.raises(cgroup.InvalidParent):
            cgroup.path(name)
    assert isinstance(namespaces.is_hybrid(), bool)


def test_a_store_is_part_of_the_name() -> None:
    assert cgroup.path("x", "/a/", store="s") == "/a/s-x"
    assert cgroup.path("x", store="s") == "/millefeuille/s-x"


def test_a_container_of_another_store_that_has_the_same_id(box: Box) -> None:
    quiet = Stdio(stdout=None, stderr=None)
    id, bundle = box.bundle("sleep", "60")
    box.runtime.create(id, bundle, quiet)
    other = Runc(box.runtime.program, str(box.top / "other"), store="0123456789ab")
    document = json.loads(Path(bundle, "config.json").read_text())
    document["linux"]["cgroupsPath"] = other.group(id)
    (box.top / "copy").mkdir()
    (box.top / "copy/config.json").write_text(json.dumps(document))
    other.create(id, str(box.top / "copy"), quiet)
    assert len({path.parent for path in groups(f"*{id}")}) * 2 == len(groups(f"*{id}"))
    other.delete(id)
    assert (groups(f"*-{id}"), other.state(id)) == ([], None)
    told = box.runtime.state(id)
    assert told is not None and told.status == "created"


def groups(id: str) -> list[Path]:
    return [path for path in Path(cgroup.ROOT).glob(f"**/{id}") if path.is_dir()]


@pytest.mark.parametrize("share", [0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
def test_a_runtime_killed_while_it_makes_a_container(box: Box, share: float) -> None:
    quiet = Stdio(stdout=None, stderr=None)
    id, bundle = box.bundle("sleep", "60")
    began = time.monotonic()
    box.runtime.create(id, bundle, quiet)
    took = time.monotonic() - began
    box.runtime.delete(id)
    id, bundle = box.bundle("sleep", "60")
    words = [*box.runtime.command(), "run", "--detach", "--bundle", bundle, id]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/")
    time.sleep(took * share)
    process.kill()
    process.wait()
    box.runtime.delete(id)
    assert groups(id) == []
    assert [line for line in commands() if id in line] == []


def commands() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_text())
        except (OSError, UnicodeDecodeError):
            continue
    return found


def test_a_control_group_with_somebody_in_it() -> None:
    if not os.access(cgroup.ROOT, os.W_OK) and os.geteuid() != 0:
        pytest.skip("needs root")
    group = cgroup.path(f"test-{os.urandom(4).hex()}")
    top = Path(cgroup.ROOT, "pids" if namespaces.is_hybrid() else "")
    directory = Path(f"{top}{group}")
    directory.mkdir(parents=True)
    process = subprocess.Popen(["sleep", "60"])
    (directory / "cgroup.procs").write_text(str(process.pid))
    cgroup.remove(group)
    assert process.wait() == -9
    assert not directory.exists()
    cgroup.remove(group)
