"""Steps run for a test: what they print, and what they change."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from millefeuille.build.running.changed import layer_changes
from millefeuille.build.running.host import RunHost
from millefeuille.build.running.run import run_step
from millefeuille.build.running.wish import RunWish
from millefeuille.layers.members import layer_members
from millefeuille.layers.tarheader import Metadata
from millefeuille.oci.digest import Digest


class Steps:
    """Runs steps on one chain. `lines` is what the last one printed."""

    def __init__(self, host: RunHost, parent: Digest | None) -> None:
        self.host = host
        self.parent = parent
        self.lines: list[tuple[int, bytes]] = []

    def run(
        self, *arguments: str, stop: threading.Event | None = None, **wishes: Any
    ) -> dict[str, Metadata]:
        """Run a command; the members of its layer by path."""
        self.lines = []

        def log(number: int, line: bytes) -> None:
            self.lines.append((number, line))

        wish = RunWish(**{"parent": self.parent, "arguments": arguments, **wishes})
        with run_step(self.host, wish, log, stop=stop) as written:
            members = [entry for entry, _ in layer_members(layer_changes(written))]
        return {os.fsdecode(entry.path): entry for entry in members}

    def sh(self, script: str, **wishes: Any) -> dict[str, Metadata]:
        """Run a shell's script."""
        return self.run("/bin/sh", "-c", script, **wishes)

    def allow(self, *names: str) -> None:
        """Grant entitlements to what runs from now on."""
        self.host = replace(self.host, allowed=frozenset(names))

    @property
    def output(self) -> str:
        """What the last step printed, both streams together."""
        return "".join(line.decode() + "\n" for _, line in self.lines)

    def check(self) -> None:
        """Hold that nothing is left."""
        top = Path(self.host.directory).parents[1]
        left = [path for name in ("run/bundles", "snapshots", "work/scratch", "runtime") for path in
                (top / name).glob("*") if path.name != "lock"]  # fmt: skip
        assert left == []
        assert str(top) not in Path("/proc/self/mounts").read_text()
