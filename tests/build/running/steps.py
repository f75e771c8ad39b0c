"""Steps run for a test: what they print, and what they change."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from millefeuille.build.running import kept
from millefeuille.build.running.changed import layer_changes
from millefeuille.build.running.failure import StepFailed
from millefeuille.build.running.host import RunHost
from millefeuille.build.running.run import run_step
from millefeuille.build.running.wish import RunWish
from millefeuille.layers.members import layer_members
from millefeuille.layers.tarheader import Metadata
from millefeuille.oci.digest import Digest


class Steps:
    """Runs steps on one chain. `lines` is what the last one printed, `kept` the root that `during` kept."""

    def __init__(self, host: RunHost, parent: Digest | None) -> None:
        self.host = host
        self.parent = parent
        self.lines: list[tuple[int, bytes]] = []
        self.kept: str | None = None

    def run(
        self,
        *arguments: str,
        stop: threading.Event | None = None,
        keep: bool = False,
        seen: Callable[[], None] = lambda: None,
        **wishes: Any,
    ) -> dict[str, Metadata]:
        """Run a command; the members of its layer by path. `seen` is called at each line it prints."""
        self.lines = []

        def log(number: int, line: bytes) -> None:
            self.lines.append((number, line))
            seen()

        wish = RunWish(**{"parent": self.parent, "arguments": arguments, **wishes})
        with run_step(self.host, wish, log, stop=stop, keep=keep) as written:
            members = [entry for entry, _ in layer_members(layer_changes(written))]
        return {os.fsdecode(entry.path): entry for entry in members}

    def sh(self, script: str, **wishes: Any) -> dict[str, Metadata]:
        """Run a shell's script."""
        return self.run("/bin/sh", "-c", script, **wishes)

    def during(self, look: Callable[[], None], script: str, **wishes: Any) -> None:
        """Run a script that fails and keeps its root, with a look at its first line."""
        with pytest.raises(StepFailed) as caught:
            self.sh(script, seen=look, keep=True, **wishes)
        self.kept = caught.value.kept

    def forget(self) -> None:
        """Let go of the root that was kept."""
        assert self.kept is not None
        kept.forget(self.host, self.kept)

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
        assert left == [], left
        assert str(top) not in Path("/proc/self/mounts").read_text()
