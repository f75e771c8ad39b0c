"""Random Dockerfiles: BuildKit and we make the same image of them, or both refuse.

A few of one seed are built unless MILLE_ALL=1; MILLE_SEED=text begins another series.
"""

from __future__ import annotations

import os
from typing import Final

import pytest
from tests.walks.building import generator
from tests.walks.building.builders import Refused
from tests.walks.building.case import Case
from tests.walks.building.known import RANDOM
from tests.walks.building.playing import Played, bench, complaints, everything, play

from millefeuille.testing.images import MadeImage

pytestmark = pytest.mark.walk

SLICE: Final = 30
ALL: Final = 200
PEERS: Final = ("buildkit",)
SEED: Final = os.environ.get("MILLE_SEED", "1")
CASES: Final = [generator.case(f"{SEED}.{n}", PEERS) for n in range(ALL if everything() else SLICE)]


@pytest.fixture(scope="module")
def played(busybox: MadeImage, containers: None, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """What both made of each case."""
    directory = tmp_path_factory.mktemp("random")
    with bench(directory, busybox, PEERS) as crew:
        if PEERS[0] not in crew:
            pytest.skip("BuildKit is not installed: run scripts/install --peers")
        return play(CASES, crew, directory)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_same(case: Case, played: Played) -> None:
    found = complaints(case, played[case.name], RANDOM)
    assert not found, "\n".join(["", *found, "", case.dockerfile])


def test_most_of_them_build(played: Played) -> None:
    """Otherwise nothing is compared."""
    refused = [one for one in played.values() if isinstance(one["mille"], Refused)]
    assert len(refused) < len(played) / 2
