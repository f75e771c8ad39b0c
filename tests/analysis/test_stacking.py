"""Laying layers over each other: the quick way, held against the one that takes every entry by itself."""

from __future__ import annotations

import random

import pytest
from tests.analysis.stacks import parsed, stack

from millefeuille.analysis import stacking
from millefeuille.analysis.layer import Layer
from millefeuille.analysis.stacking import Stacking
from millefeuille.testing import rawtars


def stacked(layers: list[Layer]) -> Stacking:
    found = Stacking()
    for layer in layers:
        found.add(layer)
    return found


def both(monkeypatch: pytest.MonkeyPatch, layers: list[Layer]) -> tuple[Stacking, Stacking]:
    quick = stacked(layers)
    with monkeypatch.context() as patch:
        patch.setattr(stacking, "_links_are_plain", lambda *_: False)
        return quick, stacked(layers)


def linked(chance: random.Random) -> list[Layer]:
    """A file of several names, and a layer that has something else under some of them, in any order."""
    names = [b"d/%d" % number for number in range(chance.randint(2, 5))]
    lower = [rawtars.file(names[0], b"x" * 9), *(rawtars.hardlink(name, names[0]) for name in names[1:])]
    upper = []
    for name in chance.sample(names, chance.randint(1, len(names))):
        upper.append(chance.choice((
            rawtars.file(name, b"y"), rawtars.file(name, b"x" * 9, mode=0o600), rawtars.symlink(name, b"a"),
            rawtars.directory(name), rawtars.file(name + b"/below", b"z"),
        )))  # fmt: skip
    return [parsed(rawtars.archive(*lower)), parsed(rawtars.archive(*upper))]


@pytest.mark.parametrize("seed", range(300))
def test_the_last_name_of_a_file_tells_why_it_went(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    quick, slow = both(monkeypatch, linked(random.Random(seed)))
    assert quick.deaths == slow.deaths
    assert (quick.live, quick.changes, quick.unnamed) == (slow.live, slow.changes, slow.unnamed)


def test_the_last_in_the_tar_is_last() -> None:
    lower = rawtars.archive(rawtars.file(b"m/1", b"x"), rawtars.hardlink(b"m/2", b"m/1"))
    upper = rawtars.archive(rawtars.symlink(b"m/2", b"a"), rawtars.file(b"m/1", b"yy"))
    (death,) = stacked([parsed(lower), parsed(upper)]).deaths
    assert (death.cause, death.by) == (stacking.REWRITTEN, b"m/1")


@pytest.mark.parametrize("seed", range(200))
def test_random_stacks(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    quick, slow = both(monkeypatch, [parsed(tar) for tar in stack(seed + 90_000)])
    assert sorted(quick.deaths) == sorted(slow.deaths)
    assert (quick.live, quick.changes, quick.unnamed) == (slow.live, slow.changes, slow.unnamed)
