"""The command itself, in a process of its own, against a registry that holds the sweeps' images."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.faults.scenarios import WORLD

from millefeuille.testing.registry import FakeRegistry


def stocked() -> FakeRegistry:
    """A registry, not yet listening, with every image of the scenarios in `app`."""
    registry = FakeRegistry()
    for digest, data in WORLD.blobs.items():
        registry.blobs["app", str(digest)] = data
    for digest, (media_type, raw) in WORLD.manifests.items():
        registry.manifests["app", str(digest)] = (media_type, raw)
    for tag, descriptor in WORLD.tags.items():
        registry.manifests["app", tag] = WORLD.manifests[descriptor.digest]
    return registry


def mille(root: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command line on the store at `root`."""
    return subprocess.run(
        [sys.executable, "-m", "millefeuille", *words], capture_output=True, text=True, timeout=120,
        env={"MILLE_ROOT": str(root), "HOME": str(root.parent), "PATH": "/usr/bin:/bin"} | environment,
    )  # fmt: skip
