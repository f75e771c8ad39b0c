"""Push the large image into an empty registry, beside skopeo's copy of the same image from an OCI layout."""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack

from bench.contest import Goal, Result, Trial, contest
from bench.contestants import Contestant, Skopeo
from bench.ground import Ground
from millefeuille.errors import MilleError
from millefeuille.testing.images import write_layout


class Target:
    """A registry that is new and empty for every push of one contestant."""

    def __init__(self, ground: Ground, contestant: Contestant) -> None:
        self._ground = ground
        self._contestant = contestant
        self._stack = ground.stack.enter_context(ExitStack())
        self._name = ""
        self._pulled = False

    def prepare(self) -> None:
        """Fill the store the first time; start a registry; name the image after it."""
        one = self._contestant
        if not self._pulled and one.name != "skopeo":
            one.reset()
            one.cost(one.pull(self._ground.reference))
        self._pulled = True
        self._stack.close()
        shutil.rmtree(self._ground.work / f"target-{one.name}", ignore_errors=True)
        server = self._ground.registry(f"target-{one.name}", self._stack)
        self._name = f"{server.address}/bench/pushed:1"
        if one.name != "skopeo":
            one.cost(one.tag(self._ground.reference, self._name))

    def act(self) -> list[str]:
        """The pushing command."""
        return self._contestant.push(self._name)


def run(ground: Ground) -> tuple[Result, list[Goal]]:
    """Measure it."""
    contestants = ground.contestants("mille")
    try:
        skopeo = Skopeo(ground.disk)
        write_layout(ground.image, skopeo.home / "layout", name="bench")
        contestants.append(skopeo)
    except MilleError as error:
        print(f"SKIPPED skopeo: {error}", file=sys.stderr)
    trials = []
    for one in contestants:
        target = Target(ground, one)
        trials.append(Trial(contestant=one, prepare=target.prepare, act=target.act))
    result = contest("push", trials, ground.runs)
    for one in contestants:
        one.reset()
    return result, result.at_most(1, "mille", "skopeo")
