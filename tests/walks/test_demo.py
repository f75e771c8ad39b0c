from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from millefeuille.testing.servers import ServerMissing, program

_PROJECT = Path(__file__).parents[2]


@pytest.mark.walk
def test_the_demonstration_runs_to_its_end() -> None:
    for name in ("docker-registry", "skopeo", "busybox", "apt-get"):
        try:
            program(name)
        except ServerMissing as missing:
            pytest.skip(str(missing))
    done = subprocess.run(
        [_PROJECT / "scripts" / "demo"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert done.stdout.endswith("The demonstration is complete.\n")
