"""A store with containers on this host, and everything that may be left of them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from millefeuille.containers import records
from millefeuille.containers.place import Place
from millefeuille.containers.state import State
from millefeuille.store.store import Store

MILLE: Final = str(Path(sys.executable).parent / "mille")
RUN: Final = "/run/millefeuille"


class Household:
    """Commands on one store, each a process of its own."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        identity = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        self.place = Place(self.root, f"{RUN}/{identity}")
        self.store = Store(self.root)

    def mille(self, *words: str, fault: str = "", trace: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command, with a fault or a trace of its operations."""
        environment = {**os.environ, "MILLE_FAULT": fault, "MILLE_FAULT_TRACE": trace}
        return subprocess.run(
            [MILLE, "--root", self.root, *words], env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def done(self, *words: str) -> str:
        """What a command prints that has to succeed."""
        finished = self.mille(*words)
        assert finished.returncode == 0, (words, finished.stderr)
        return finished.stdout.strip()

    def state(self, name: str) -> State:
        """What a container does."""
        return records.state(self.place, records.find(self.store, self.place, name).id)

    def monitors(self) -> list[int]:
        """The processes that belong to this store: monitors, and what they have started."""
        found = []
        for name in os.listdir("/proc"):
            if name.isdigit():
                try:
                    words = Path(f"/proc/{name}/cmdline").read_bytes()
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if os.fsencode(self.place.run) in words and b"container\0cleanup" not in words:
                    found.append(int(name))
        return found

    def mounts(self) -> list[str]:
        """The mounts below the run directory, in this mount namespace."""
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
        return sorted(line.split()[4] for line in lines if line.split()[4].startswith(f"{self.place.run}/"))

    def inconsistencies(self) -> list[str]:
        """What does not fit together, after a command has put things in order."""
        wrong = []
        containers = records.every(self.store, self.place)
        ids = {container.id for container in containers}
        running = {one.id for one in containers if records.state(self.place, one.id).running}
        for directory in (self.place.containers, f"{self.root}/snapshots"):
            if strangers := set(_names(directory)) - ids:
                wrong.append(f"{directory}: {strangers}")
        for directory in ("containers", "netns", "runtime"):
            if strangers := set(_names(f"{self.place.run}/{directory}")) - running:
                wrong.append(f"{directory}: {strangers}")
        if len(self.monitors()) != len(running):
            wrong.append(f"{len(self.monitors())} monitors for {len(running)} that run")
        for id in sorted(running):
            told = records.state(self.place, id)
            if told.status == "paused" or _is_frozen(told.pid):
                wrong.append(f"{id} is frozen")
        chains = [path for path in self.mounts() if path.startswith(f"{self.place.run}/chains/")]
        if len(chains) > 1:
            wrong.append(f"more than one mount of the chain: {chains}")
        return wrong

    def remnants(self) -> list[str]:
        """What is left when every container has been removed: nothing should be."""
        for container in records.every(self.store, self.place):
            self.mille("rm", "-f", "-v", container.id)
        self.mille("kill", "nobody")
        wrong = self.inconsistencies()
        wrong += [f"mounted: {path}" for path in self.mounts()]
        wrong += [f"network: {name}" for name in _names(f"{self.place.run}/networks") if len(name) > 60]
        return wrong


def _is_frozen(pid: int) -> bool:
    """Whether a process is in a cgroup that is frozen."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return False
    for number, controllers, path in (line.split(":", 2) for line in lines):
        if controllers == "freezer":
            told, frozen = Path(f"/sys/fs/cgroup/freezer{path}/freezer.state"), "FROZEN"
        elif number == "0":
            told, frozen = Path(f"/sys/fs/cgroup{path}/cgroup.events"), "frozen 1"
        else:
            continue
        if told.exists() and frozen in told.read_text():
            return True
    return False


def _names(directory: str) -> list[str]:
    try:
        return [name for name in os.listdir(directory) if name != "lock"]
    except FileNotFoundError:
        return []
