"""The commands of an ordinary user, each a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.runtime.test_userns import SOURCE, Ordinary

from millefeuille.testing.images import MadeImage, write_docker_archive

PATIENCE = 10.0  # seconds until a process has ended


class OrdinaryCommands:
    """`mille` as an ordinary user runs it."""

    def __init__(self, who: Ordinary) -> None:
        if shutil.which("runc") is None and shutil.which("crun") is None:
            pytest.skip("needs a runtime")
        self.who = who
        self.directory = Path(who.directory)
        self.store = self.directory / "store"
        # A monitor calls the program by its interpreter alone, without the environment.
        venv = self.directory / "venv"
        subprocess.run([who.interpreter, "-m", "venv", "--without-pip", str(venv)], check=True)
        [packages] = venv.glob("lib/python3*/site-packages")
        (packages / "here.pth").write_text(f"{SOURCE}\n{sysconfig.get_path('purelib')}\n")
        self.python = str(venv / "bin/python")

    def environment(self) -> dict[str, str]:
        """All variables that a command has."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.directory), "MILLE_ROOT": str(self.store)}

    def mille(self, *words: str, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        return subprocess.run(
            [self.python, "-m", "millefeuille", *words], cwd="/", env={**self.environment(), **(more or {})},
            user=self.who.number, group=self.who.group, extra_groups=[], capture_output=True, text=True,
            stdin=subprocess.DEVNULL, check=False, timeout=60,
        )  # fmt: skip

    def done(self, *words: str) -> str:
        """What a command prints that does its work."""
        done = self.mille(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def load(self, busybox: MadeImage) -> None:
        """Have a busybox called base:1."""
        archive = self.directory / "base.tar"
        write_docker_archive(busybox, archive, "base:1")
        archive.chmod(0o644)
        self.done("load", "-q", "-i", str(archive))

    def leave(self) -> None:
        """Remove all containers."""
        for id in self.done("ps", "-aq").split():
            self.done("rm", "-fv", id)

    def until_idle(self) -> None:
        """Wait until the user has no process any more: only then can it be removed."""
        deadline = time.monotonic() + PATIENCE
        while any(f"Uid:\t{self.who.number}\t" in _status(pid) for pid in processes()):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def processes() -> list[int]:
    """The IDs of all processes."""
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def _status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
