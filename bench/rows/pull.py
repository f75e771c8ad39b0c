"""Pull the large image from a loopback registry into an empty store."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from bench.contest import Goal, Result, Trial, contest
from bench.contestants import Contestant
from bench.ground import Ground

MEMORY = 120e6  # bytes


class Floor(Contestant):
    """No engine: inflates and hashes the same blobs in one thread."""

    name = "floor"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground.disk)
        self.environment["PYTHONPATH"] = str(Path(__file__).parents[2])
        self.prefix = [sys.executable, "-m", "bench.floor"]
        self._blobs = [str(path) for path in ground.blobs]

    def warm_up(self) -> None:
        self._quietly()

    def pull(self, reference: str) -> list[str]:
        return self._blobs

    def reset(self) -> None:
        pass


def run(ground: Ground) -> tuple[Result, list[Goal]]:
    """Measure it."""
    contestants = [*ground.contestants("mille", "podman", "docker"), Floor(ground)]
    trials = [
        Trial(contestant=one, prepare=one.reset, act=partial(one.pull, ground.reference))
        for one in contestants
    ]
    result = contest("pull", trials, ground.runs, ground.blobs)
    for one in contestants:
        one.reset()
    goals = [
        *result.at_least(3.5, "podman", "mille"),
        *result.at_least(3.5, "docker", "mille"),
        *result.at_most(1, "mille", "podman", "cpu"),
        *result.at_most(1, "mille", "docker", "cpu"),
        *result.at_most(1.4, "mille", "floor"),
    ]
    if "mille" in result.costs:
        peak = result.median("mille").memory
        goals.append(Goal(text="mille's peak MB < 120", value=peak / 1e6, met=peak < MEMORY))
    return result, goals
