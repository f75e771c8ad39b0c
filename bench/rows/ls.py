"""List 200 images; what counts is CPU time, against an interpreter that does nothing.

Podman takes no part: its list of so many images takes seconds of disk time each.
"""

from __future__ import annotations

import sys
from functools import partial

from bench.contest import Goal, Result, Trial, contest
from bench.contestants import Contestant
from bench.ground import Ground
from millefeuille.testing.debian import busybox_image
from millefeuille.testing.images import make_image, push

_IMAGES = 200
_RUNS = 21  # at least: CPU times this short are read off a coarse clock


class Nothing(Contestant):
    """An interpreter that starts and ends."""

    name = "python"

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground.disk)
        self.prefix = [sys.executable, "-I", "-c", "pass"]

    def warm_up(self) -> None:
        self._quietly()

    def reset(self) -> None:
        pass


class _Filling:
    """The pulls that a contestant's list shows, done before its first run."""

    def __init__(self, contestant: Contestant, names: list[str]) -> None:
        self._contestant = contestant
        self._missing = names

    def once(self) -> None:
        """Pull what is missing."""
        if self._missing:
            self._contestant.reset()
        for name in self._missing:
            self._contestant.cost(self._contestant.pull(name))
        self._missing = []


def run(ground: Ground) -> tuple[Result, list[Goal]]:
    """Measure it."""
    server = ground.registry("many")
    layers = busybox_image(ground.cache).layers
    names = []
    for number in range(_IMAGES):
        image = make_image(layers, config={"Labels": {"number": str(number)}})
        push(image, server.address, f"bench/small{number % 20}", str(number))
        names.append(f"{server.address}/bench/small{number % 20}:{number}")
    trials = [Trial(contestant=Nothing(ground), prepare=lambda: None, act=list)]
    engines = ground.contestants("mille", "docker")
    for one in engines:
        act = ["ls"] if one.name == "mille" else ["image", "ls"]
        trials.append(Trial(contestant=one, prepare=_Filling(one, names).once, act=partial(list, act)))
    result = contest("ls", trials, max(ground.runs, _RUNS))
    for one in engines:
        one.reset()
    return result, result.at_most(6, "mille", "python", "cpu")
