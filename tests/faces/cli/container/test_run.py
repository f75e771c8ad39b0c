"""`run --rm` in the words of docker 28.2.2: output, errors and exit codes."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import signal
import subprocess
import sys
import tarfile
import termios
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.faces.cli.home import Home

from millefeuille import kernel
from millefeuille.containers import removal
from millefeuille.errors import MilleError
from millefeuille.faces.cli.container import run
from millefeuille.runtime import probe
from millefeuille.runtime.invocation import RuntimeMissing
from millefeuille.snapshots import attach
from millefeuille.testing.images import MadeImage, push
from millefeuille.testing.servers import RegistryServer
from millefeuille.values import replace

HINT = "\n\nRun 'mille run --help' for more information\n"
CREATE = "mille: Error: failed to create task for container: failed to create shim task: OCI runtime"


@pytest.fixture
def name(home: Home, registry_server: RegistryServer, busybox: MadeImage, tmp_path: Path) -> str:
    """A busybox in a registry, on a machine that can run it."""
    if os.geteuid() != 0:
        pytest.skip("only root can run containers: `run` was NOT tried")
    try:
        probe.find(str(tmp_path))
    except RuntimeMissing as missing:
        pytest.skip(str(missing))
    push(busybox, registry_server.address, "team/busybox", "latest")
    return f"{registry_server.address}/team/busybox"


@pytest.mark.walk
def test_standard_output_is_the_container_s(home: Home, name: str) -> None:
    out, err, code = home.mille("run", "--rm", name, "echo", "hi")
    assert (out, code) == ("hi\n", 0)
    lines = err.splitlines()
    assert lines[0] == f"Unable to find image '{name}:latest' locally"
    assert lines[1] == "latest: Pulling from team/busybox"
    assert lines[-1] == f"Status: Downloaded newer image for {name}:latest"
    assert home.mille("run", "--rm", name, "sh", "-c", "echo out; echo err >&2; exit 42") == (
        "out\n",
        "err\n",
        42,
    )


@pytest.mark.walk
@pytest.mark.parametrize(
    ("command", "reason", "code"),
    [
        ("nosuchcmd", '"nosuchcmd": executable file not found in $PATH', 127),
        ("/etc", '"/etc": permission denied', 126),
    ],
)
def test_commands_that_cannot_run(home: Home, name: str, command: str, reason: str, code: int) -> None:
    out, err, found = home.mille("run", "--rm", "-q", name, command)
    assert (out, found) == ("", code)
    assert err.startswith(CREATE)
    assert err.endswith(f"unable to start container process: exec: {reason}: unknown{HINT}")


@pytest.mark.parametrize("error", [ValueError("odd"), OSError(5, "Input/output error"), MemoryError()])
@pytest.mark.parametrize("asked", [True, False])
def test_whatever_hinders_the_start_leaves_no_container(
    monkeypatch: pytest.MonkeyPatch, error: Exception, asked: bool
) -> None:
    gone: list[object] = []

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(run, "start", fail)
    monkeypatch.setattr(run.removal, "remove", lambda host, container, **_: gone.append(container))
    made: Any = SimpleNamespace(place=SimpleNamespace(root="/store"))
    wanted: Any = SimpleNamespace(host_config={"AutoRemove": asked})
    one: Any = object()
    with pytest.raises(run._NotStarted) as caught:
        run._started(made, one, wanted)
    assert isinstance(caught.value.error, MilleError)
    assert gone == ([one] if asked else [])


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A directory on a file system that has inodes left, and not one byte."""
    place = tmp_path / "full"
    place.mkdir()
    descriptor = attach.detached("tmpfs", [("size", "64k"), ("nr_inodes", "1000")])
    kernel.move_mount(descriptor, str(place))
    os.close(descriptor)
    with open(place / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
        while filler.write(bytes(4096)):
            pass
    yield place
    kernel.unmount(str(place), detach=True)


@pytest.mark.walk
@pytest.mark.parametrize("words", [["run", "--rm"], ["create"], ["image", "mount"], ["build", "-q", "-"]])
def test_a_full_run_directory_is_named(home: Home, name: str, full: Path, words: list[str]) -> None:
    assert home.mille("pull", name)[2] == 0
    run = f"{full}/run"
    words = words if "-" in words else [*words, name]
    out, err, code = home.mille(*words, typed=f"FROM {name}\nRUN echo\n", environment={"MILLE_RUN": run})
    assert (out, code) == ("", 125 if "run" in words else 1)
    said, advice = [line for line in err.splitlines() if line and "Run 'mille" not in line]
    assert re.search(rf"Error: {re.escape(run)}/\S+: no space left on device$", said)
    assert re.fullmatch(r"0 bytes and \d+ inodes are free\.", advice)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--pull", "never", "--rm", "nosuch"], "Error: No such image: nosuch:latest"),
        (["--pull", "nope", "--rm", "nosuch"],
         "invalid pull option: 'nope': must be one of \"always\", \"missing\" or \"never\""),
        (["--rm", "UPPER"], "invalid reference format: repository name (library/UPPER) must be lowercase"),
        (["--platform", "bogus", "x"], 'error parsing specified platform: "bogus": '
         "unknown operating system or architecture: invalid argument"),
        (["--annotation", "a=b", "x"], "Error: --annotation is not supported"),
        (["--gpus", "all", "x"], "Error: --gpus is not supported"),
        (["--network", "n", "--ip6", "fd00::9", "x"], "Error: --ip6 is not supported"),
        (["--network", "n", "--link-local-ip", "169.254.3.4", "x"],
         "Error: --link-local-ip is not supported"),
        (["--network", "name=n,driver-opt=a=b", "x"], "Error: --network driver-opt is not supported"),
        (["--network", "n", "--link", "a", "x"], "Error: --link is not supported\n"
         "Containers on a network of your own find each other by name."),
        (["--rm", "--pull", "never", "0" * 64], f"Error: No such image: {'0' * 64}"),
        (["--rm", "0" * 64], f"Error: No such image: {'0' * 64}"),
        (["--rm", f"sha256:{'0' * 64}"], f"Error: No such image: sha256:{'0' * 64}"),
    ],
)  # fmt: skip
def test_refusals(home: Home, words: list[str], complaint: str) -> None:
    assert home.mille("run", *words) == ("", f"mille: {complaint}{HINT}", 125)


def test_an_image_of_another_platform_is_pulled(home: Home) -> None:
    source = str(home.directory / "files.tar")
    with tarfile.open(source, "w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    name = "127.0.0.1:1/x/y:latest"
    assert home.mille("import", "--platform", "linux/s390x", source, name)[2] == 0
    _, err, code = home.mille("run", "--rm", "--platform", "linux/ppc64le", name)
    assert err.startswith(f"Unable to find image '{name}' locally\nmille: Error: Get ")
    assert code == 125


def test_a_registry_that_is_not_there(home: Home) -> None:
    missing = "Unable to find image '127.0.0.1:1/x/y:latest' locally\n"
    refused = 'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused'
    assert home.mille("run", "--rm", "127.0.0.1:1/x/y") == (
        "",
        f"{missing}mille: Error: {refused}{HINT}",
        125,
    )


@pytest.mark.walk
def test_an_image_for_another_platform_is_run_with_a_warning(
    home: Home, name: str, registry_server: RegistryServer, busybox: MadeImage
) -> None:
    other = replace(busybox, config=busybox.config.replace(b'"amd64"', b'"s390x"'))
    push(other, registry_server.address, "team/other", "latest")
    image = f"{registry_server.address}/team/other"
    assert home.mille("pull", "-q", image)[2] == 0
    warned = re.compile(
        r"WARNING: The requested image's platform \(linux/s390x\) does not match the detected host platform "
        r"\(linux/[a-z0-9/]+\) and no specific platform was requested\n"
    )
    out, err, code = home.mille("run", "--rm", image, "echo", "hi")
    assert (out, code) == ("hi\n", 0) and warned.fullmatch(err)
    out, err, code = home.mille("create", "--name", "one", image, "true")
    assert (len(out), code) == (65, 0) and warned.fullmatch(err)
    # Not of what was not made, nor where somebody chose the platform.
    assert "WARNING" not in home.mille("create", "--name", "one", image, "true")[1]
    assert home.mille("run", "--rm", "--platform", "linux/s390x", image, "echo", "hi") == ("hi\n", "", 0)
    chosen = {"DOCKER_DEFAULT_PLATFORM": "linux/s390x"}
    assert home.mille("run", "--rm", image, "echo", "hi", environment=chosen) == ("hi\n", "", 0)
    assert home.mille("rm", "one")[2] == 0


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["-d", "-a", "stdout", "x"], "conflicting options: cannot specify both --attach and --detach\n"),
        (["--cpu-count", "2", "x"], '"--cpu-count" is only supported on a Docker daemon running on windows, '
         "but the Docker daemon is running on linux\n"),
        (["-i", "-t", "x"], "the input device is not a TTY\n"),
    ],
)  # fmt: skip
def test_what_fits_no_terminal_or_host_is_said_plainly(home: Home, words: list[str], complaint: str) -> None:
    assert home.mille("run", *words) == ("", complaint, 1)


@pytest.mark.parametrize(
    ("words", "complaint", "code"),
    [
        (["--pid", "bogus", "x"], "mille: --pid: invalid PID mode\n\nRun 'mille create --help' for more "
         "information\n", 125),
        (["--platform", "bogus", "x"], 'error parsing specified platform: "bogus": '
         "unknown operating system or architecture: invalid argument\n", 1),
        (["UPPER"], "invalid reference format: repository name (library/UPPER) must be lowercase\n", 1),
        (["--link", "a:b", "x"], "Error: --link is not supported\n"
         "Containers on a network of your own find each other by name.\n", 1),
    ],
)  # fmt: skip
def test_create_refuses_in_its_own_way(home: Home, words: list[str], complaint: str, code: int) -> None:
    assert home.mille("create", *words) == ("", complaint, code)


def _children(pid: int) -> list[str]:
    """The processes that `pid` started, in whichever thread: the kernel's own list may leave some out."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = status.read_text().rpartition(") ")[2].split()[1]
        except OSError:  # it ended meanwhile
            continue
        if parent == str(pid):
            found.append(status.parent.name)
    return found


@pytest.mark.walk
def test_who_is_waited_for_has_a_copy_of_the_command_as_its_monitor(home: Home, name: str) -> None:
    assert home.mille("pull", "-q", name)[2] == 0
    program = [sys.executable, "-I", "-m", "millefeuille", "--root", str(home.store)]
    command = [*program, "run", "--rm", "-i", name, "sh", "-c", "echo up; read line; echo $line"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "up\n"
        children = _children(process.pid)
        told = [Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1] for pid in children]
        assert told == [command]
        descriptors = [os.readlink(path) for path in Path(f"/proc/{children[0]}/fd").iterdir()]
        assert not [one for one in descriptors if "db.sqlite" in one or "db.lock" in one]
        process.stdin.write("down\n")
        process.stdin.close()
        assert process.stdout.read() == "down\n"
    assert process.returncode == 0
    assert os.listdir(home.store / "containers") == []


@pytest.mark.walk
@pytest.mark.parametrize("flags", ["-t", "-it"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_reach_a_container_with_a_terminal(
    home: Home, name: str, flags: str, number: signal.Signals
) -> None:
    assert home.mille("pull", "-q", name)[2] == 0
    script = 'trap "exit 3" TERM HUP INT; echo up; while :; do sleep 0.1; done'
    program = [sys.executable, "-I", "-m", "millefeuille", "--root", str(home.store)]
    command = [*program, "run", flags, "--name", "one", name, "sh", "-c", script]
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\r\n"
        process.send_signal(number)
        assert process.wait() == 3
    os.close(ours)
    os.close(theirs)
    told = home.mille("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "one")
    assert told == ("exited 3\n", "", 0)


@pytest.mark.walk
@pytest.mark.parametrize("flags", ["-t", "-it"])
def test_the_terminal_has_the_size_of_ours(home: Home, name: str, flags: str) -> None:
    assert home.mille("pull", "-q", name)[2] == 0
    program = [sys.executable, "-I", "-m", "millefeuille", "--root", str(home.store)]
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (33, 77))
    # The size is told when the process runs already, as Docker's client does.
    script = 'until s=$(stty size 2>&1); [ "${s#*:}" = "$s" ]; do sleep 0.05; done; echo "$s"'
    command = [*program, "run", "--rm", flags, name, "sh", "-c", script]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs) as process:
        assert os.read(ours, 1000).split() == [b"33", b"77"]
        assert process.wait() == 0
    os.close(ours)
    os.close(theirs)


@pytest.mark.walk
def test_who_is_left_alone_has_a_monitor_of_its_own(home: Home, name: str) -> None:
    home.mille("run", "-d", "-q", "--name", "alone", name, "sleep", "60")
    inner = int(home.mille("inspect", "-f", "{{.State.Pid}}", "alone")[0])
    monitor = Path(f"/proc/{inner}/stat").read_text().rpartition(")")[2].split()[1]
    words = Path(f"/proc/{monitor}/cmdline").read_text()
    assert "monitor.main" in words
    assert home.mille("rm", "-f", "alone")[2] == 0


@pytest.mark.walk
def test_the_id_of_a_container_that_does_not_start(home: Home, name: str) -> None:
    out, err, code = home.mille("run", "-d", "-q", name, "nosuchcmd")
    assert home.mille("ps", "-aq", "--no-trunc")[0] == out
    assert err.startswith(CREATE)
    assert code == 127
    out, err, code = home.mille("run", "-d", "--rm", "--network", "nosuch", name, "true")
    assert (len(out), err, code) == (65, f"mille: Error: network nosuch not found{HINT}", 125)
    assert home.mille("ps", "-aq")[0].count("\n") == 1


@pytest.mark.walk
def test_without_a_file_for_its_id_no_container_is_made(home: Home, name: str, tmp_path: Path) -> None:
    home.mille("pull", "-q", name)
    missing = tmp_path / "missing" / "id"
    said = f"failed to create the container ID file: open {missing}: no such file or directory"
    assert home.mille("run", "--cidfile", str(missing), name, "true") == ("", f"mille: {said}{HINT}", 127)
    assert home.mille("create", "--cidfile", str(missing), name, "true") == ("", f"{said}\n", 1)
    assert home.mille("ps", "-aq") == ("", "", 0)


@pytest.mark.walk
def test_a_file_for_the_id_of_no_container_is_removed(home: Home, name: str, tmp_path: Path) -> None:
    path = tmp_path / "id"
    assert home.mille("run", "--pull", "never", "--cidfile", str(path), f"{name}:none", "true")[2] == 125
    assert not path.exists()


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't start new thread"), OSError(5, "EIO")])
@pytest.mark.parametrize("goes", [True, False])
def test_what_does_not_start_goes_whatever_the_reason(
    monkeypatch: pytest.MonkeyPatch, error: Exception, goes: bool
) -> None:
    def fail(*given: object) -> None:
        raise error

    gone: list[object] = []
    monkeypatch.setattr(run, "start", fail)
    monkeypatch.setattr(removal, "remove", lambda host, container, **how: gone.append(container))
    asked: Any = SimpleNamespace(host_config={"AutoRemove": goes})
    host: Any = SimpleNamespace(place=SimpleNamespace(root="/store"))
    container: Any = "c"
    with pytest.raises((run._NotStarted, RuntimeError)):
        run._started(host, container, asked)
    assert gone == (["c"] if goes else [])


@pytest.mark.walk
def test_from_a_directory_that_is_gone(
    home: Home, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    out, _, code = home.mille("run", "--rm", "--network", "none", name, "echo", "hi")
    monkeypatch.chdir(tmp_path)
    assert (out, code) == ("hi\n", 0)
