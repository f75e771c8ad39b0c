"""Load the large image from the tar of a `docker save` into an empty store."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path

from bench.contest import Goal, Result, Trial, contest
from bench.ground import Ground
from millefeuille.testing.servers import program


def run(ground: Ground) -> tuple[Result, list[Goal]]:
    """Measure it."""
    archive = docker_archive(ground)
    contestants = ground.contestants("mille", "podman", "docker")
    trials = [Trial(contestant=one, prepare=one.reset, act=partial(one.load, archive)) for one in contestants]
    result = contest("load", trials, ground.runs, [archive])
    for one in contestants:
        one.reset()
    return result, result.at_least(3, "docker", "mille")


def docker_archive(ground: Ground) -> Path:
    """The large image with plain layers, as Docker's own engine saves it; skopeo writes it once."""
    archive = ground.work / "large.tar"
    if not archive.exists():
        target = f"docker-archive:{archive}:bench/large:1"
        command = ["copy", "--quiet", "--src-tls-verify=false", f"docker://{ground.reference}", target]
        subprocess.run([program("skopeo"), *command], check=True)
    return archive
