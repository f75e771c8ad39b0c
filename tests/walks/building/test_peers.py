"""Dockerfiles built by Buildah, Docker's classic builder, BuildKit and us: the same image comes of them.

Where it does not, `known.py` says why; a difference that is not listed there fails, and so does one that is
listed for a single case and gone. A seeded slice is built unless MILLE_ALL=1; MILLE_CASES picks by words in
the names.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import Final

import pytest
from tests.walks.building.case import ALL, Case
from tests.walks.building.cases import (
    adding,
    copying,
    ignoring,
    metadata,
    running,
    stages,
    syntax,
    variables,
)
from tests.walks.building.known import KNOWN
from tests.walks.building.playing import Played, bench, complaints, everything, play

from millefeuille.testing.images import MadeImage

pytestmark = pytest.mark.walk

TABLES: Final = (variables, syntax, copying, adding, running, stages, metadata, ignoring)
CASES: Final[list[Case]] = [case for table in TABLES for case in table.CASES]
SLICE: Final = 12


def chosen() -> list[Case]:
    """All cases, or a fixed slice of them."""
    wanted = os.environ.get("MILLE_CASES")
    if wanted:
        return [case for case in CASES if any(word in case.name for word in wanted.split())]
    return CASES if everything() else random.Random(28).sample(CASES, SLICE)


@pytest.fixture(scope="module")
def played(busybox: MadeImage, containers: None, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """What every builder made of each of the chosen cases."""
    directory = tmp_path_factory.mktemp("building")
    with bench(directory, busybox, ALL) as crew:
        if not set(ALL) & set(crew):
            pytest.skip("no other builder is installed: run scripts/install --peers")
        return play(chosen(), crew, directory)


@pytest.mark.parametrize("case", chosen(), ids=lambda case: case.name)
def test_same(case: Case, played: Played) -> None:
    found = complaints(case, played[case.name], KNOWN)
    assert not found, "\n" + "\n".join(found)


def test_compared_with_all(played: Played) -> None:
    compared = {name for outcomes in played.values() for name in outcomes}
    if missing := sorted(set(ALL) - compared):
        pytest.skip(f"not compared with {', '.join(missing)}: run scripts/install --peers")


def test_the_tables() -> None:
    assert [name for name, count in Counter(case.name for case in CASES).items() if count > 1] == []
    assert len(CASES) >= 100
    exact = {one.case for one in KNOWN if not set(one.case) & set("*?[")}
    assert exact <= {case.name for case in CASES}
    assert all(one.why for one in KNOWN)
