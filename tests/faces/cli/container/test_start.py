"""`mille start` with real containers."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

from millefeuille.containers.record import NEVER

pytestmark = pytest.mark.walk


@pytest.mark.parametrize("flags", [("-i",), ("-a", "-i")])
def test_whoever_gives_input_sees_what_comes_of_it(box: Home, flags: tuple[str, ...]) -> None:
    made = box.mille("create", "-i", "--name", "one", "busybox", "sh", "-c", "cat; echo err >&2; exit 4")
    assert made[2] == 0
    assert box.mille("start", *flags, "one", typed="foo\n") == ("foo\n", "err\n", 4)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_that_ends_the_command_gives_the_terminal_back(box: Home, number: signal.Signals) -> None:
    made = box.mille("create", "-it", "--name", "one", "busybox", "sh", "-c", "echo up; sleep 60")
    assert made[2] == 0
    command = [sys.executable, "-I", "-m", "millefeuille", "--root", str(box.store), "start", "-ai", "one"]
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\r\n"
        assert termios.tcgetattr(theirs) != before
        process.send_signal(number)
        assert process.wait() == (128 + number if number == signal.SIGINT else -number)
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)
    assert box.mille("inspect", "-f", "{{.State.Status}}", "one")[0] == "running\n"


def test_one_that_has_run_stays_exited_when_its_next_start_fails(box: Home) -> None:
    for words in (
        ("network", "create", "net"), ("create", "--name", "new", "--network", "net", "busybox", "true"),
        ("run", "--name", "old", "--network", "none", "busybox", "true"),
        ("network", "disconnect", "none", "old"), ("network", "connect", "net", "old"),
        ("network", "rm", "-f", "net"),
    ):  # fmt: skip
        assert box.mille(*words)[2] == 0, words
    ended = box.mille("inspect", "-f", "{{.State.FinishedAt}}", "old")[0]
    state = "{{.State.Status}} {{.State.ExitCode}}"
    for name, told in (("new", "created 128\n"), ("old", "exited 128\n")):
        for verb in ("start", "restart"):
            assert box.mille(verb, name)[2] == 1
            assert box.mille("inspect", "-f", state, name)[0] == told
    assert box.mille("ps", "-a", "--filter", "status=exited", "--format", "{{.Names}}")[0] == "old\n"
    assert box.mille("inspect", "-f", "{{.State.FinishedAt}}", "old")[0] == ended


def test_the_end_of_the_run_before_is_told(box: Home) -> None:
    words = ("-d", "--network", "none", "--name", "one", "--restart", "always", "busybox", "sleep", "60")
    assert box.mille("run", *words)[2] == 0
    moments = "{{.State.StartedAt}} {{.State.FinishedAt}}"
    began, ended = box.mille("inspect", "-f", moments, "one")[0].split()
    assert ended == NEVER
    for verbs in (("restart",), ("stop", "start")):
        for verb in verbs:
            assert box.mille(verb, *(() if verb == "start" else ("-t", "0")), "one")[2] == 0
        again, ended = box.mille("inspect", "-f", moments, "one")[0].split()
        assert began < ended < again
        began = again


def test_a_failed_start_keeps_the_exit_code_of_the_run_before(box: Home, tmp_path: Path) -> None:
    source, volume = tmp_path / "source", f"type=bind,dst=/src,src={tmp_path / 'source'}"
    source.mkdir()
    code = "exit $(cat /code)"
    for words in (
        ("network", "create", "net"),
        ("create", "--name", "one", "--network", "none", "busybox", "sh", "-c", code),
        ("create", "--name", "two", "--network", "none", "--mount", volume, "busybox", "sh", "-c", code),
    ):
        assert box.mille(*words)[2] == 0, words
    (tmp_path / "code").write_text("3\n")
    for name in ("one", "two"):
        assert box.mille("cp", str(tmp_path / "code"), f"{name}:/code")[2] == 0
        assert box.mille("start", "-a", name)[2] == 3
    for words in (
        ("network", "disconnect", "none", "one"), ("network", "connect", "net", "one"),
        ("network", "rm", "-f", "net"),
    ):  # fmt: skip
        assert box.mille(*words)[2] == 0, words
    source.rmdir()
    source.touch()
    for name, told in (("one", "exited 3\n"), ("two", "exited 127\n")):
        assert box.mille("start", name)[2] == 1
        assert box.mille("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", name)[0] == told


def test_what_the_runtime_refuses_is_no_exit_code_of_the_program(box: Home) -> None:
    words = ("--name", "one", "--network", "none", "--sysctl", "net.ipv4.ip_forward=abc", "busybox", "true")
    assert box.mille("create", *words)[2] == 0
    assert box.mille("start", "one")[2] == 1
    assert box.mille("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "one")[0] == "created 128\n"


def test_a_restart_that_fails_says_so_in_dockers_words(box: Home) -> None:
    assert box.mille("create", "--name", "one", "--network", "none", "busybox", "/bin/nosuch")[2] == 0
    id = box.mille("inspect", "-f", "{{.Id}}", "one")[0].strip()
    reason = box.mille("start", "one")[1].splitlines()[0].removeprefix("Error: ")
    for name in ("one", id[:12]):
        assert box.mille("restart", name) == ("", f"Error: Cannot restart container {name}: {reason}\n", 1)
    assert box.mille("restart", "nosuch") == ("", "Error: No such container: nosuch\n", 1)


def test_there_are_no_files_of_a_container_before_its_first_start(box: Home) -> None:
    paths = "{{.LogPath}},{{.ResolvConfPath}},{{.HostnamePath}},{{.HostsPath}}"
    for name, program, code in (("one", "true", 0), ("two", "/bin/nosuch", 1)):
        assert box.mille("create", "--name", name, "--network", "none", "busybox", program)[2] == 0
        assert box.mille("inspect", "-f", paths, name)[0] == ",,,\n"
        assert box.mille("start", name)[2] == code
        names = ("-json.log", "resolv.conf", "hostname", "hosts")
        told = box.mille("inspect", "-f", paths, name)[0].strip().split(",")
        assert all(path.endswith(name) for path, name in zip(told, names, strict=True)), told


@pytest.mark.parametrize("network", ["none", "host"])
def test_what_no_network_gives_is_shown_as_it_was_asked_for(box: Home, network: str) -> None:
    words = ("create", "--name", "one", "--network", network, "--ip", "10.9.9.9", "busybox", "true")
    assert box.mille(*words)[2] == 0
    template = "{{range .NetworkSettings.Networks}}{{json .IPAMConfig}}{{end}}"
    for _ in range(2):
        assert box.mille("inspect", "-f", template, "one")[0] == '{"IPv4Address":"10.9.9.9"}\n'
        assert box.mille("start", "one")[2] == 1
