"""Commit a container of the large image that changed ten files."""

from __future__ import annotations

from bench.contest import Goal, Result, Trial, contest
from bench.contestants import Contestant
from bench.ground import Ground

_SCRIPT = "for n in 0 1 2 3 4 5 6 7 8 9; do head -c 100000 /dev/urandom > /var/tmp/changed$n; done"
_NAME = "changed"


class _Container:
    """One contestant's container: a new one for each run, for a layer that is known already costs less."""

    def __init__(self, ground: Ground, contestant: Contestant) -> None:
        self._ground = ground
        self._contestant = contestant
        self._commits = 0

    def prepare(self) -> None:
        """Pull the image once, and run what changes the files."""
        reference = self._ground.reference
        if self._commits:
            self.drop()
        else:
            self._contestant.cost(["pull", "--quiet", reference])
        words = ["run", "--network", "none", "--name", _NAME, reference, "sh", "-c", _SCRIPT]
        self._contestant.cost(words)

    def act(self) -> list[str]:
        """The committing command."""
        self._commits += 1
        return ["commit", _NAME, f"bench/committed:{self._commits}"]

    def drop(self) -> None:
        """Remove the container."""
        self._contestant.cost(["rm", _NAME])


def run(ground: Ground) -> tuple[Result, list[Goal]]:
    """Measure it."""
    contestants = ground.contestants("mille", "docker")
    for one in contestants:
        one.reset()
    containers = [_Container(ground, one.whole()) for one in contestants]
    trials = [
        Trial(contestant=one.whole(), prepare=container.prepare, act=container.act)
        for one, container in zip(contestants, containers, strict=True)
    ]
    result = contest("commit", trials, ground.runs)
    for one, container in zip(contestants, containers, strict=True):
        if one.name in result.costs:
            container.drop()
        one.reset()
    return result, result.at_most(0.3, "mille", "docker")
