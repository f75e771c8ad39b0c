"""Remove the large image, until statvfs shows that its space is free again."""

from __future__ import annotations

from bench.contest import Goal, Result, Trial, contest
from bench.contestants import Contestant
from bench.ground import Ground
from bench.volume import await_free, free_bytes, settle


class Removal:
    """One contestant's removals: how much is to be free afterwards is seen before each of them."""

    def __init__(self, ground: Ground, contestant: Contestant) -> None:
        self._ground = ground
        self._contestant = contestant
        self._wanted = 0

    def prepare(self) -> None:
        """Pull the image into an empty store."""
        self._contestant.reset()
        settle()
        empty = free_bytes(self._ground.disk)
        self._contestant.cost(self._contestant.pull(self._ground.reference))
        settle()
        taken = empty - free_bytes(self._ground.disk)
        # What an empty store keeps, its database and locks, stays below 2 %.
        self._wanted = empty - taken // 50

    def act(self) -> list[str]:
        """The removing command."""
        return self._contestant.remove(self._ground.reference)

    def until(self) -> None:
        """Wait for the space."""
        await_free(self._ground.disk, self._wanted)


def run(ground: Ground) -> tuple[Result, list[Goal]]:
    """Measure it."""
    trials = []
    for one in ground.contestants("mille", "podman", "docker"):
        removal = Removal(ground, one)
        trials.append(Trial(contestant=one, prepare=removal.prepare, act=removal.act, until=removal.until))
    result = contest("rm", trials, ground.runs)
    return result, result.at_least(8, "podman", "mille")
