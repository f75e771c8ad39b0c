"""The view as a process on a terminal of its own: when it opens, and when there is a report instead."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.analysis.conftest import write_archive
from tests.faces.cli.home import Home

from millefeuille.testing import rawtars

BASE = rawtars.archive(
    rawtars.directory(b"etc"), rawtars.file(b"etc/a", b"x" * 300), rawtars.file(b"etc/b", b"hi\n")
)
TOP = rawtars.archive(rawtars.file(b"etc/.wh.a"), rawtars.file(b"new", b"z" * 1000))
_OPENED = b"\x1b[?1049h"
_TAKES_KEYS = b"\x1b[?1000h"  # Textual asks for the mouse when it has begun


@pytest.fixture
def loaded(home: Home, tmp_path: Path) -> str:
    write_archive(tmp_path / "image.tar", [BASE, TOP])
    assert home.mille("load", "-i", str(tmp_path / "image.tar"))[2] == 0
    return "random:latest"


@pytest.mark.parametrize("words", [["analyze"], ["dive"], ["analyze", "--compare", "random:latest"]])
def test_on_a_terminal_there_is_a_view(home: Home, loaded: str, words: list[str]) -> None:
    out, code = _on_terminal(home, [*words, loaded], b"\tq")
    assert out.startswith(_OPENED)
    frame = out[: out.index(_TAKES_KEYS)].decode()
    assert "Current Layer Contents" in frame and "etc" in frame and "Waste" in frame
    assert out.rstrip().endswith(b"\x1b[?1049l")
    assert code == 0


@pytest.mark.parametrize(
    "words",
    [["analyze", "--no-tui"], ["dive", "--no-tui"], ["analyze", "--score", "dive"], ["analyze", "--ci"]],
)  # fmt: skip
def test_whoever_asks_for_a_report_gets_one(home: Home, loaded: str, words: list[str]) -> None:
    out, _ = _on_terminal(home, [*words, loaded], b"")
    assert _OPENED not in out and b"LAYER" in out


def test_without_a_terminal_there_is_a_report(home: Home, loaded: str) -> None:
    assert "LAYER" in home.mille("analyze", loaded)[0]
    out, _ = _on_terminal(home, ["analyze", loaded], b"", kind="dumb")
    assert _OPENED not in out and b"LAYER" in out


def test_a_file_of_the_store_is_extracted(home: Home, loaded: str, tmp_path: Path) -> None:
    place = tmp_path / "here"
    place.mkdir()
    _on_terminal(home, ["analyze", loaded], b"\t\x1b[B\x1b[B\x05q", directory=place)
    assert (place / "b").read_text() == "hi\n"


def test_a_bad_configuration_is_named(home: Home, loaded: str) -> None:
    (home.directory / ".dive.yaml").write_text("diff:\n  hide: [blue]\n")
    out, code = _on_terminal(home, ["dive", loaded], b"")
    assert b".dive.yaml: diff.hide: there is no 'blue'" in out
    assert code == 2


def test_a_configuration_that_is_named_is_the_only_one(home: Home, loaded: str, tmp_path: Path) -> None:
    (home.directory / ".dive.yaml").write_text("diff:\n  hide: [blue]\n")
    named = tmp_path / "named"
    named.write_text("keybinding:\n  quit: z\n")
    out, code = _on_terminal(home, ["dive", "--config", str(named), loaded], b"z")
    assert (out.startswith(_OPENED), code) == (True, 0)
    out, code = _on_terminal(home, ["dive", "--config", f"{named}.not", loaded], b"")
    assert (b"named.not: no such file or directory" in out, code) == (True, 2)


@pytest.mark.parametrize(
    ("signals", "code"),
    [
        ([signal.SIGTERM, signal.SIGCONT], -signal.SIGTERM),
        ([signal.SIGHUP, signal.SIGCONT], -signal.SIGHUP),
        ([signal.SIGQUIT], -signal.SIGQUIT), ([signal.SIGCONT, signal.SIGCONT], 0),
        ([signal.SIGSTOP, signal.SIGCONT], 0),
    ],
)  # fmt: skip
def test_a_terminal_has_its_modes_again(home: Home, loaded: str, signals: list[int], code: int) -> None:
    out, found = _on_terminal(home, ["dive", loaded], b"" if code else b"q", signals=signals)
    assert found == code
    assert out.rstrip().endswith(b"\x1b[?1049l")


@pytest.mark.parametrize("key", [b"\x1c", b"\x1a", b"\x03", b"x\r"])
def test_keys_before_the_program_is_loaded_do_nothing_to_the_terminal(
    home: Home, loaded: str, key: bytes
) -> None:
    out, code = _on_terminal(home, ["dive", loaded], key + b"q", since=_OPENED)
    assert code == 0
    assert out[: out.index(_TAKES_KEYS)].endswith(b"\x1b[0m" + _OPENED)  # no key is echoed behind the frame
    assert out.rstrip().endswith(b"\x1b[?1049l")


def _on_terminal(
    home: Home, words: list[str], keys: bytes, *, kind: str = "xterm-256color", directory: Path | None = None,
    since: bytes = _TAKES_KEYS, signals: Sequence[int] = (),
) -> tuple[bytes, int]:  # fmt: skip
    """All that a command writes on a terminal where it gets signals and keys once it wrote `since`, and
    leaves the modes as they were; its exit code.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    environment = {
        "HOME": str(home.directory), "MILLE_ROOT": str(home.store), "TERM": kind, "PATH": os.environ["PATH"],
    }  # fmt: skip
    process = os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-c", _START, str(directory or home.directory), *words], environment,
        file_actions=[(os.POSIX_SPAWN_DUP2, theirs, number) for number in range(3)],
    )  # fmt: skip
    modes = termios.tcgetattr(theirs)
    os.close(theirs)
    out, pending = b"", keys
    while select.select([ours], [], [], 60)[0]:
        try:
            data = os.read(ours, 1 << 16)
        except OSError:  # the other end was closed
            break
        out += data
        if since not in out:
            continue
        for number in signals:
            time.sleep(0.5)
            os.kill(process, number)
        os.write(ours, pending)
        pending, signals = b"", ()
    assert termios.tcgetattr(ours) == modes
    os.close(ours)
    return out, os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


_START = """
import os, runpy, sys
os.chdir(sys.argv.pop(1))
sys.argv[0] = "mille"
runpy.run_module("millefeuille", run_name="__main__", alter_sys=True)
"""
