"""Containers run once, for real: what they see, what they leave behind."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.snapshots.erofs.tars import chain, gnu_tar

from millefeuille import files
from millefeuille.errors import MilleError
from millefeuille.oci.digest import Digest
from millefeuille.runtime.mountpoints import UnsafeRoot
from millefeuille.runtime.once import Host, Run, run_once, sweep
from millefeuille.runtime.process import InvalidDirectory, NoCommand, Wishes
from millefeuille.runtime.runtime import StartFailed, Stdio
from millefeuille.runtime.signals import forwarding
from millefeuille.runtime.users import NoSuchUser
from millefeuille.snapshots.chain import Chain
from millefeuille.snapshots.erofs.driver import ErofsSnapshotter

pytestmark = pytest.mark.walk


class Box:
    """Runs commands in the busybox, and holds after each that nothing is left."""

    def __init__(self, host: Host, parent: Digest) -> None:
        self.host = host
        self.parent = parent
        self.output = ""

    def run(
        self, *words: str, config: Mapping[str, Any] | None = None, stdin: int | None = None, **wishes: Any
    ) -> int:
        reading, writing = os.pipe()
        try:
            run = Run(
                parent=self.parent,
                config=config or {},
                wishes=Wishes(arguments=words, **wishes),
                stdio=Stdio(stdin=stdin, stdout=writing, stderr=writing),
            )
            return run_once(self.host, run)
        finally:
            os.close(writing)
            with open(reading, "rb") as file:
                self.output = file.read().decode()
            self.check()

    def check(self) -> None:
        top = Path(self.host.directory).parents[1]
        kept = [top / "run/bundles", top / "run/bundles/lock"]
        assert [path for path in top.rglob("*") if path.parent != top and path not in kept] == []
        assert str(top) not in Path("/proc/self/mounts").read_text()


@pytest.fixture
def box(host: Host, busybox_chain: Chain) -> Box:
    return Box(host, busybox_chain.id)


def test_exit_codes(box: Box) -> None:
    assert box.run("true") == 0
    assert box.run("false") == 1
    assert box.run("sh", "-c", "exit 77") == 77
    assert box.run("sh", "-c", "sh -c 'kill -9 $$'; exit $?") == 137


def test_output(box: Box) -> None:
    assert box.run("echo", "hi") == 0
    assert box.output == "hi\n"


def test_input(box: Box) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"some words\n")
    os.close(writing)
    try:
        assert box.run("sh", "-c", "read a b; echo $b $a", stdin=reading) == 0
        assert box.output == "words some\n"
        assert box.run("cat") == 0
        assert box.output == ""
    finally:
        os.close(reading)


def test_config_and_wishes(box: Box) -> None:
    config = {"Cmd": ["env"], "Env": ["A=image", "B=image", "*", "NAME"], "WorkingDir": "/srv", "User": "web"}
    assert box.run(config=config, environment=("B=mine",)) == 0
    lines = box.output.splitlines()
    assert [line for line in lines if line[0] in "AB*N"] == ["A=image", "B=mine"]
    assert "HOME=/srv" in lines
    assert box.run("sh", "-c", "pwd; id -u; id -G", config=config) == 0
    assert box.output == "/srv\n33\n34 50\n"
    assert box.run(config={"Entrypoint": ["echo", "a"], "Cmd": ["b"]}) == 0
    assert box.output == "a b\n"
    assert box.run("c", config={"Entrypoint": ["echo", "a"], "Cmd": ["b"]}) == 0
    assert box.output == "a c\n"
    assert box.run(config={"Entrypoint": ["false"], "Cmd": ["b"]}, entrypoint=("echo",)) == 0
    assert box.output == "\n"


@pytest.mark.parametrize(
    ("user", "shown"), [("33", "33 34 34 50"), ("web:extra", "33 50 50"), ("7:8", "7 8 8"), ("7", "7 0 0")]
)
def test_users(box: Box, user: str, shown: str) -> None:
    assert box.run("sh", "-c", "echo $(id -u) $(id -g) $(id -G)", user=user) == 0
    assert box.output == shown + "\n"


def test_writes_stay_in_the_container(box: Box) -> None:
    assert box.run("sh", "-c", "echo x > /etc/passwd; touch /new; cat /etc/passwd; ls /new") == 0
    assert box.output == "x\n/new\n"
    assert box.run("sh", "-c", "ls /new") == 1


def test_isolation(box: Box) -> None:
    script = "echo $$; cat /proc/self/status; ls /proc/self/fd; stat -c '%a' /; ls /sys/firmware /proc/acpi"
    assert box.run("sh", "-c", script) == 0
    lines = box.output.splitlines()
    assert lines[0] == "1"
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    # The fourteen capabilities of Docker's default set.
    assert status["CapEff"] == status["CapBnd"] == "00000000a80425fb"
    assert status["CapInh"] == status["CapAmb"] == "0000000000000000"
    assert status["NoNewPrivs"] == "0"
    assert lines[lines.index("0", 1) :][:5] == ["0", "1", "2", "3", "751"]
    assert box.run("sh", "-c", "cat /proc/self/status", user="web") == 0
    assert "CapEff:\t0000000000000000" in box.output


def test_host_files(box: Box) -> None:
    assert box.run("sh", "-c", "cat /etc/hostname; cat /etc/hosts; cat /etc/resolv.conf; env") == 0
    name, first = box.output.splitlines()[:2]
    assert len(name) == 12
    assert first == "127.0.0.1\tlocalhost"
    assert f"HOSTNAME={name}\n" in box.output
    assert Path("/etc/resolv.conf").read_text() in box.output


@pytest.mark.parametrize("place", ["dev", "proc", "sys"])
def test_images_whose_mount_points_lead_elsewhere(box: Box, tmp_path: Path, place: str) -> None:
    root = tmp_path / "layer"
    root.mkdir()
    os.symlink("/tmp", root / place)
    odd = chain(root.parent, [gnu_tar(root, tmp_path / "layer.tar")])
    snapshots = ErofsSnapshotter(str(tmp_path / "snapshots"), lambda _: odd)
    host = Host(snapshots=snapshots, runtime=box.host.runtime, directory=box.host.directory)
    with pytest.raises(UnsafeRoot, match=f"the image's /{place} is not a directory"):
        run_once(host, Run(parent=odd.id, config={}, wishes=Wishes(arguments=("true",))))


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        (("nosuchcmd",), 127, 'exec: "nosuchcmd": executable file not found in $PATH: unknown'),
        (("/nosuch",), 127, 'exec: "/nosuch": stat /nosuch: no such file or directory: unknown'),
        (("/etc",), 126, 'exec: "/etc": permission denied: unknown'),
        (("/etc/plain",), 126, 'exec: "/etc/plain": permission denied: unknown'),
    ],
)
def test_programs_that_cannot_run(box: Box, words: tuple[str, ...], error: int, message: str) -> None:
    with pytest.raises(StartFailed) as caught:
        box.run(*words)
    assert caught.value.exit_code == error
    prefix = "failed to create task for container: failed to create shim task: OCI runtime create failed: "
    assert str(caught.value) == f"{prefix}runc create failed: unable to start container process: {message}"
    assert box.output == ""


def test_nothing_is_left_after_an_error(box: Box) -> None:
    with pytest.raises(NoCommand):
        box.run()
    with pytest.raises(NoSuchUser, match="unable to find user nobody: no matching entries in passwd file"):
        box.run("true", user="nobody")
    with pytest.raises(MilleError, match="below /proc"):
        box.run("true", directory="/proc/self/fd/3")


def test_a_runtime_that_fails(box: Box) -> None:
    # What lies below a mount is made by the runtime, and only it finds out.
    with pytest.raises(StartFailed) as caught:
        box.run("/bin/sh", directory="/dev/null/x")
    assert caught.value.exit_code in (125, 126, 127)


def test_a_file_is_no_working_directory(box: Box) -> None:
    with pytest.raises(InvalidDirectory, match="Cannot mkdir: /etc/plain is not a directory"):
        box.run("/bin/sh", directory="/etc/plain")


def test_signals_reach_the_container(box: Box) -> None:
    script = "trap 'exit 42' TERM; echo ready; while :; do sleep 0.05; done"
    reading, writing = os.pipe()
    wishes = Wishes(arguments=("sh", "-c", script))
    run = Run(parent=box.parent, config={}, wishes=wishes, stdio=Stdio(stdout=writing))

    def interrupt() -> None:
        os.read(reading, 6)
        os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=interrupt)
    thread.start()
    before = signal.getsignal(signal.SIGTERM)
    assert run_once(box.host, run) == 42
    thread.join()
    os.close(reading)
    os.close(writing)
    assert signal.getsignal(signal.SIGTERM) is before
    box.check()


class Recorder:
    """An Attached that notes what it is sent."""

    def __init__(self) -> None:
        self.received: list[int] = []

    def signal(self, number: int) -> None:
        self.received.append(number)

    def wait(self) -> int:
        return 0


def test_signals_before_the_start_are_kept_for_it() -> None:
    recorder = Recorder()
    with forwarding() as forwarder:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGUSR1)
        forwarder.aim(recorder)
        os.kill(os.getpid(), signal.SIGINT)
    assert recorder.received == [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT]


def in_child(box: Box, act: Callable[[], object]) -> int:
    """Do `act` in a child process; the signal that ended it."""
    child = os.fork()
    if not child:
        with contextlib.suppress(BaseException):
            act()
        os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


def run_quietly(box: Box, *words: str) -> int:
    wishes = Wishes(arguments=words)
    return run_once(box.host, Run(parent=box.parent, config={}, wishes=wishes, stdio=Stdio(stdout=None)))


def acts(box: Box, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The file operations of one run, the directories that all runs share being there."""
    assert run_quietly(box, "true") == 0
    seen: list[str] = []
    monkeypatch.setattr(files, "hook", lambda name, subject: seen.append(name))
    assert run_quietly(box, "true") == 0
    return seen


def test_a_command_killed_while_its_container_runs(box: Box) -> None:
    reading, writing = os.pipe()
    run = Run(
        parent=box.parent,
        config={},
        wishes=Wishes(arguments=("sh", "-c", "echo up; exec sleep 60")),
        stdio=Stdio(stdout=writing),
    )
    child = os.fork()
    if not child:
        try:
            run_once(box.host, run)
        finally:
            os._exit(0)  # whatever happened: the rest of the tests is the parent's
    assert os.read(reading, 3) == b"up\n"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(writing)
    # The container goes on, its mounts visible to nobody else; the next command ends it.
    box.host.runtime.delete("no such container")
    assert str(box.host.directory) not in Path("/proc/self/mounts").read_text()
    assert len(sweep(box.host)) == 1
    assert os.read(reading, 1) == b""
    os.close(reading)
    box.check()


def test_killed_at_every_act(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    names = acts(box, monkeypatch)
    assert {"mkdir", "create", "write", "mount", "spawn", "unmount", "unlink", "rmdir"} <= set(names)
    for last in range(len(names)):
        left = iter(range(last, -1, -1))

        def kill(name: str, subject: object, left: Iterator[int] = left) -> None:
            if next(left) == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        monkeypatch.setattr(files, "hook", kill)
        assert in_child(box, lambda: run_quietly(box, "true")) == signal.SIGKILL, names[: last + 1]
        monkeypatch.setattr(files, "hook", None)
        sweep(box.host)
        box.check()


def test_failing_at_every_act(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    for last in range(len(acts(box, monkeypatch))):
        left = iter(range(last, -1, -1))

        def fail(name: str, subject: object, left: Iterator[int] = left) -> None:
            if next(left, 1) == 0:
                raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(files, "hook", fail)
        with contextlib.suppress(OSError, MilleError):
            run_quietly(box, "true")
        monkeypatch.setattr(files, "hook", None)
        sweep(box.host)
        box.check()
