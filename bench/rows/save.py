"""Save the large image from the store into a tar on the same disk."""

from __future__ import annotations

from pathlib import Path

from bench.contest import Goal, Result, Trial, contest
from bench.contestants import Contestant
from bench.ground import Ground


def run(ground: Ground) -> tuple[Result, list[Goal]]:
    """Measure it."""
    contestants = ground.contestants("mille", "podman", "docker")
    result = contest("save", [_trial(ground, one) for one in contestants], ground.runs)
    for one in contestants:
        one.reset()
        _archive(one).unlink(missing_ok=True)
    return result, result.at_least(3, "docker", "mille")


def _archive(contestant: Contestant) -> Path:
    return contestant.home / "saved.tar"


def _trial(ground: Ground, one: Contestant) -> Trial:
    pulled = False

    def prepare() -> None:
        nonlocal pulled
        if not pulled:
            one.reset()
            one.cost(one.pull(ground.reference))
            pulled = True
        _archive(one).unlink(missing_ok=True)

    return Trial(contestant=one, prepare=prepare, act=lambda: one.save(ground.reference, _archive(one)))
