"""kill -9 at the occurrences of every file operation, then recovery, then the same store as without it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tests.faults import counts
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.sweep import Pair, Stage, occurrences

from millefeuille.testing.file_faults import KILL, Fault

_pairs: Counter[Pair] = Counter()
_scenarios: Counter[Pair] = Counter()
_kills = Counter[str]()


@pytest.mark.long
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_killed_command_leaves_the_old_or_the_new(
    scenario: Scenario, tmp_path: Path, all_cases: bool
) -> None:
    stage = Stage(scenario, tmp_path)
    _kills[scenario.name] += 0
    wrong = []
    for (operation, site), count in sorted(stage.points().items()):
        known = _scenarios[operation, site]
        _scenarios[operation, site] += 1
        _pairs[operation, site] += count
        chosen = occurrences(count, f"{operation}{site}{known}", everything=all_cases)
        if known >= 2 and not all_cases:
            chosen = chosen[-1:] if known < 8 else ()  # one of its occurrences in further scenarios
        for number, occurrence in enumerate(chosen):
            fault = Fault(operation=operation, site=site, occurrence=occurrence, effect=KILL)
            for mend in (True, False) if all_cases else (bool((number + known) % 2),):
                wrong.append(stage.strike(fault, mend=mend))
                _kills[scenario.name] += 1
    assert not any(wrong), "\n".join(one for one in wrong if one)


def test_the_sweep_reaches_many_places() -> None:
    if set(_kills) != {scenario.name for scenario in SCENARIOS}:
        pytest.skip("counts what the tests above have reached")
    counts.said.append(
        f"kill -9: {len(_pairs)} pairs of operation and call site, {_kills.total()} kills "
        f"in {_pairs.total()} operations of {len(_kills)} scenarios"
    )
    assert len(_pairs) >= 60
