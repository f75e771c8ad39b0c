"""A person at the command line: a home directory, a store, and `mille` as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

Answer = tuple[str, str, int]  # standard output, standard error, exit code


class Home:
    """A person's home directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.config = directory / ".docker" / "config.json"
        self.store = directory / "store"

    def mille(self, *words: str, typed: str = "", environment: Mapping[str, str] | None = None) -> Answer:
        """Run one command line."""
        surroundings = {
            "HOME": str(self.directory), "MILLE_ROOT": str(self.store),
            "PATH": f"{self.directory}:{os.environ['PATH']}",
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-I", "-m", "millefeuille", *words],
            input=typed, env=surroundings | dict(environment or {}), capture_output=True, text=True,
            errors="surrogateescape", check=False,
        )  # fmt: skip
        return done.stdout, done.stderr, done.returncode
