"""The process as a whole: what leaves it, and how."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import millefeuille
from millefeuille.faces.cli import catalogue
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.main import main

_MILLE = [sys.executable, "-m", "millefeuille"]

# Runs one command line with `mille version` replaced by a body given as source.
_WITH_BODY = """
import sys
from millefeuille import __main__
from millefeuille.faces.cli import catalogue
from millefeuille.faces.cli.command import Command, exactly
def run(context, call):
{body}
catalogue.load = lambda row: Command(usage="", arguments=exactly(0), run=run)
__main__.start()
"""


def mille(*words: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_MILLE, *words],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
        check=False,
    )


def body(source: str, *words: str) -> list[str]:
    indented = "\n".join(f"    {line}" for line in source.splitlines())
    return [sys.executable, "-c", _WITH_BODY.format(body=indented), *words, "version"]


def test_version_is_docker_shaped() -> None:
    assert mille("--version").stdout == f"mille version {millefeuille.__version__}\n"
    found = json.loads(mille("version", "--format", "json").stdout)
    assert found["Client"]["Version"] == found["Server"]["Version"] == millefeuille.__version__
    assert found["Client"]["ApiVersion"] == "1.50"


def test_a_closed_pipe_ends_quietly() -> None:
    process = subprocess.Popen(
        body("for _ in range(100000): context.terminal.line('x' * 100)\nreturn 0"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 128 + signal.SIGPIPE
    process.stderr.close()


def test_lines_go_out_together_whatever_python_is_told() -> None:
    """Each message of such a socket is one system call."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        source = "for _ in range(20): context.terminal.line('one')\nreturn 0"
        subprocess.run(body(source), stdout=theirs, env={**os.environ, "PYTHONUNBUFFERED": "1"}, check=True)
        theirs.close()
        calls = [*iter(lambda: ours.recv(1 << 16), b"")]
    assert b"".join(calls) == b"one\n" * 20
    assert len(calls) == 1


def test_an_interrupt_ends_quietly() -> None:
    waiting = "import time\ncontext.terminal.line('ready')\ncontext.terminal.flush()\ntime.sleep(60)"
    with subprocess.Popen(body(waiting), stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == (b"", b"")
    assert process.returncode == 128 + signal.SIGINT


def test_a_full_disk_under_standard_output_is_an_error() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*_MILLE, "version"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr == "Error: standard output: no space left on device\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_break_nothing(closed: str) -> None:
    line = f'exec "$0" -m millefeuille version {closed}'
    done = subprocess.run(["sh", "-c", line, sys.executable], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_defect_is_one_line_and_advice() -> None:
    done = subprocess.run(body("return 1 // 0"), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    first, advice = done.stderr.splitlines()
    assert first == "Error: internal error: ZeroDivisionError: integer division or modulo by zero"
    assert "--debug" in advice


def test_debug_shows_where_an_error_arose() -> None:
    done = subprocess.run(body("return 1 // 0", "--debug"), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback (most recent call last):" in done.stderr
    assert "Error: internal error: ZeroDivisionError" in done.stderr


def test_a_bad_fault_does_not_start_the_command() -> None:
    done = mille("version", environment={"MILLE_FAULT": "rename:0:kill"})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: not an occurrence, counted from 1: 0\n"


def test_start_up_imports_only_what_every_command_needs() -> None:
    probe = "import sys, millefeuille.faces.cli.main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", probe], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    heavy = {
        "rich",
        "urllib3",
        "ssl",
        "socket",
        "sqlite3",
        "json",
        "argparse",
        "traceback",
        "tempfile",
        "subprocess",
    }
    assert not loaded & heavy
    assert not {name for name in loaded if name.startswith("millefeuille.testing")}


def test_options_before_the_command_become_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[tuple[Context, Call]] = []

    def run(context: Context, call: Call) -> int:
        seen.append((context, call))
        return 7

    command = Command(usage="", arguments=exactly(0), run=run)
    monkeypatch.setattr(catalogue, "load", lambda row: command)
    monkeypatch.setenv("MILLE_ROOT", "/elsewhere")
    assert main(["--root", str(tmp_path), "--config=/docker", "-D", "version"]) == 7
    context, call = seen[0]
    assert context.settings.root == str(tmp_path)
    assert context.settings.docker_config == context.settings.environment["DOCKER_CONFIG"] == "/docker"
    assert (context.path, context.debug, call.arguments) == ("mille version", True, ())


# Interrupts itself as soon as a certain module is to be loaded.
_INTERRUPTED = """
import os, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "millefeuille.faces.cli.main":
            os.kill(os.getpid(), 2)
sys.meta_path.insert(0, Finder())
from millefeuille.__main__ import start
start()
"""


def test_an_interrupt_before_anything_is_loaded_says_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED, "version"], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", "", -signal.SIGINT)


@pytest.mark.parametrize(("error", "said", "code"), [
    ("KeyboardInterrupt", "", 130), ("ValueError", "Exception ignored in: ", 0),
])  # fmt: skip
def test_an_interrupt_in_a_callback_comes_again(error: str, said: str, code: int) -> None:
    body = f"""
    import time
    class Lost:
        def __del__(self):
            raise {error}
    Lost()
    time.sleep(1)
    return 0
"""
    done = subprocess.run(
        [sys.executable, "-c", _WITH_BODY.format(body=body), "version"], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr[: len(said)]) == (code, said)
    assert said or "Traceback" not in done.stderr


def test_an_interrupt_that_is_ignored_stays_ignored() -> None:
    before = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
    done = subprocess.run(
        [sys.executable, "-c", before + _INTERRUPTED, "--version"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = f"mille version {millefeuille.__version__}\n"
    assert (done.stdout, done.stderr, done.returncode) == (said, "", 0)
