"""An agent with keys from files: what it has, that it ends, and what is no key."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from millefeuille.build.running.keyagent import BadKey, NoKeyAgent, key_agent

pytestmark = [
    pytest.mark.walk,
    pytest.mark.skipif(shutil.which("ssh-agent") is None, reason="needs OpenSSH's client"),
]


def key(path: Path, *options: str) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", *options, "-f", str(path)], check=True)
    return str(path)


def held(socket: str) -> list[str]:
    """The comments of what an agent holds."""
    asked = {**os.environ, "SSH_AUTH_SOCK": socket}
    told = subprocess.run(["ssh-add", "-L"], env=asked, capture_output=True, text=True, check=True)
    return [" ".join(line.split()[:2]) for line in told.stdout.splitlines()]


def public(path: str) -> str:
    return " ".join(Path(f"{path}.pub").read_text().split()[:2])


def test_keys_are_held_until_the_end(tmp_path: Path) -> None:
    keys = [key(tmp_path / "one"), key(tmp_path / "two")]
    os.chmod(keys[1], 0o644)  # as an archive has it
    with key_agent(str(tmp_path / "s"), keys, os.environ) as socket:
        assert held(socket) == [public(one) for one in keys]
    assert os.listdir(tmp_path / "s") == []


@pytest.mark.parametrize("what", ["phrase", "text", "gone"])
def test_what_is_no_key(tmp_path: Path, what: str) -> None:
    path = tmp_path / "key"
    if what == "phrase":
        key(path, "-N", "secret")
    elif what == "text":
        path.write_text("no key\n")
    with pytest.raises(FileNotFoundError if what == "gone" else BadKey, match=str(path)):
        with key_agent(str(tmp_path / "s"), [str(path)], os.environ):
            pass
    assert os.listdir(tmp_path / "s") == []


def test_without_the_program(tmp_path: Path) -> None:
    with pytest.raises(NoKeyAgent, match="ssh-agent is not installed"):
        with key_agent(str(tmp_path / "s"), [], {"PATH": str(tmp_path)}):
            pass


def test_a_place_that_is_too_deep(tmp_path: Path) -> None:
    one = key(tmp_path / "one")
    with key_agent(str(tmp_path / ("a" * 100)), [one], os.environ) as socket:
        assert held(socket) == [public(one)]
    assert os.listdir(tmp_path / ("a" * 100)) == []


def test_it_ends_with_a_build_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from millefeuille.build.running.keyagent import key_agent\n"
        "with key_agent(sys.argv[1], [], os.environ) as socket:\n"
        "    print(socket, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "s")], capture_output=True, text=True, check=False
    )
    socket = done.stdout.strip()
    deadline = time.monotonic() + 5
    while any(socket in line for line in _commands()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _commands() -> list[str]:
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            found.append(Path(f"/proc/{pid}/cmdline").read_text(errors="replace"))
        except OSError:
            continue
    return found
