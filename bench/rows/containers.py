"""Containers of the large image: the first one with its pull, one more, and one that reads everything."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import partial

from bench.contest import Goal, Result, Trial, contest
from bench.contestants import Contestant, Mille
from bench.ground import Ground

_FIND = ("sh", "-c", "find / -xdev | wc -l")
_READ = ("sh", "-c", "tar -c --one-file-system -f - / 2>/dev/null | cat >/dev/null")


def start(ground: Ground) -> tuple[Result, list[Goal]]:
    """`run` of an image that is not here yet."""
    contestants = [one.whole() for one in ground.contestants("mille", "podman", "docker")]
    contestants += [_extracting(one) for one in contestants if isinstance(one, Mille)]
    trials = [
        Trial(contestant=one, prepare=one.reset, act=partial(_run, one, ground.reference, "true"))
        for one in contestants
    ]
    result = contest("start", trials, ground.runs, ground.blobs)
    for one in contestants:
        one.reset()
    goals = [
        *result.at_least(3.5, "podman", "mille"),
        *result.at_least(3.5, "docker", "mille"),
        *result.at_least(2, "podman", "extracting"),
        *result.at_least(2, "docker", "extracting"),
    ]
    return result, goals


def warm(ground: Ground) -> tuple[Result, list[Goal]]:
    """`run … true` of an image that is here, and has been run before."""
    result = _present(ground, "warm", ("mille", "podman", "docker"), ("true",), cold=False)
    return result, [*result.at_most(1, "mille", "docker"), *result.at_least(2, "podman", "mille")]


def connected(ground: Ground) -> tuple[Result, list[Goal]]:
    """`run … true` as `warm`, on the network that a container gets if none is named."""
    names = ("mille", "podman")  # docker's daemon here has no such network
    result = _present(ground, "connected", names, ("true",), cold=False, alter=_connected)
    return result, result.at_least(2, "podman", "mille")


def find(ground: Ground) -> tuple[Result, list[Goal]]:
    """`find /` with nothing in the page cache."""
    result = _present(ground, "find", ("mille", "docker"), _FIND, cold=True)
    return result, result.at_most(1, "mille", "docker")


def read(ground: Ground) -> tuple[Result, list[Goal]]:
    """Every file read once, with nothing in the page cache."""
    result = _present(ground, "read", ("mille", "docker"), _READ, cold=True)
    return result, result.at_most(1, "mille", "docker")


def _present(
    ground: Ground, title: str, names: Sequence[str], words: Sequence[str], *, cold: bool,
    alter: Callable[[Contestant], Contestant] = lambda one: one,
) -> Result:  # fmt: skip
    contestants = [alter(one.whole()) for one in ground.contestants(*names)]
    for one in contestants:
        one.reset()
        _once(one, ground.reference)
    trials = [
        Trial(
            contestant=one, prepare=_nothing, act=partial(_run, one, ground.reference, *words),
            warmth=None if cold else partial(_once, one, ground.reference),
        )
        for one in contestants
    ]  # fmt: skip
    result = contest(title, trials, ground.runs)
    for one in contestants:
        one.reset()
    return result


def _nothing() -> None:
    """The image is there."""


def _once(one: Contestant, reference: str) -> None:
    one.cost(_run(one, reference, "true"))


def _run(one: Contestant, reference: str, *words: str) -> list[str]:
    return one.run(reference, words)


def _connected(one: Contestant) -> Contestant:
    """The same with its default network."""
    found = copy.copy(one)
    options = [*one.run_options]
    place = options.index("--network")
    found.run_options = options[:place] + options[place + 2 :]
    return found


def _extracting(mille: Contestant) -> Contestant:
    """mille with its other driver."""
    found = copy.copy(mille)
    found.name = "extracting"
    found.environment = {**mille.environment, "MILLE_SNAPSHOTTER": "overlay"}
    return found
