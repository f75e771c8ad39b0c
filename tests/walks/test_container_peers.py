"""Scripted uses of containers, played with Docker's engine and with this one: the same comes of them.

Where it does not, `peer/differences.txt` holds what we do and why; a difference that is not listed fails,
and so does one that is listed and gone. A seeded slice is played unless MILLE_ALL=1.
"""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest
from tests.walks.peer import engines, words
from tests.walks.peer.cases import Case, Outcome, cases, differences, keys

from millefeuille.testing.images import MadeImage
from millefeuille.testing.servers import ServerMissing, dockerd

SLICE: Final = 15
CASES: Final = cases()
DIFFERENCES: Final = differences()


def chosen() -> list[Case]:
    """All cases, or a fixed slice of them."""
    wanted = os.environ.get("MILLE_CASES")
    if wanted:
        return [case for case in CASES if wanted in case.name]
    return CASES if os.environ.get("MILLE_ALL") else random.Random(28).sample(CASES, SLICE)


Played = dict[str, tuple[list[Outcome], list[Outcome]]]


@pytest.fixture(scope="module")
def played(
    busybox: MadeImage, containers: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Played]:
    """What both engines did in each of the chosen cases, by its name."""
    directory = tmp_path_factory.mktemp("peers")
    (directory / "work").mkdir()
    (directory / "work" / "busybox.tar").write_bytes(gzip.decompress(busybox.layers[0].path.read_bytes()))
    options = ("--default-address-pool", "base=10.213.0.0/16,size=24")
    try:
        with dockerd(directory / "dockerd", options=options) as server, ThreadPoolExecutor(2) as pool:
            both = (engines.docker(directory, server.host), engines.mille(directory))
            theirs, ours = pool.map(lambda engine: _all(engine, chosen()), both)
            yield {case.name: (a, b) for case, a, b in zip(chosen(), theirs, ours, strict=True)}
    except ServerMissing as missing:
        pytest.skip(str(missing))


def _all(engine: engines.Engine, wanted: Sequence[Case]) -> list[list[Outcome]]:
    try:
        return [engine.play(case) for case in wanted]
    finally:
        engine.finish()


@pytest.mark.walk
@pytest.mark.parametrize("case", chosen(), ids=lambda case: case.name)
def test_same(case: Case, played: Played) -> None:
    theirs, ours = played[case.name]
    complaints = []
    for key, expected, got in zip(keys(case), map(_theirs, theirs), map(_ours, ours), strict=True):
        known = DIFFERENCES.get((case.name, key))
        if known is not None and got == expected:
            complaints.append(f"$ {key}\nequal by now, but listed as different")
        elif got != (known.ours if known is not None else expected):
            complaints.append(f"$ {key}\n{got}\ninstead of\n{known.ours if known else expected}")
    assert not complaints, "\n" + "\n\n".join(complaints)


def _theirs(outcome: Outcome) -> Outcome:
    return _masked(outcome, words.today(outcome.stdout), words.today(outcome.stderr))


def _ours(outcome: Outcome) -> Outcome:
    return _masked(outcome, outcome.stdout, outcome.stderr)


def _masked(outcome: Outcome, stdout: str, stderr: str) -> Outcome:
    return Outcome(stdout=words.masked(stdout), stderr=words.masked(stderr), code=outcome.code)


def test_every_difference_belongs_to_a_case() -> None:
    known = {(case.name, key) for case in CASES for key in keys(case)}
    assert set(DIFFERENCES) <= known
    assert all(difference.reason for difference in DIFFERENCES.values())


def test_there_are_many_cases() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 100
    assert len(CASES) < SLICE * 10


class TestTheComparison:
    """What keeps the walk above from passing for nothing."""

    def test_docker_in_our_words(self) -> None:
        said = "docker: Error response from daemon: no such thing.\nSee 'docker run --help'.\n"
        ours = "mille: Error: no such thing\n\nRun 'mille run --help' for more information\n"
        assert words.masked(words.today(said)) == words.masked(ours)

    @pytest.mark.parametrize(("one", "other"), [("a\n", "b\n"), ("a\n", ""), ("A=1 B=2", "B=2 A=1")])
    def test_sees_other_texts(self, one: str, other: str) -> None:
        assert words.masked(words.today(one)) != words.masked(other)
