"""Every file operation fails once, in each of three ways: a clear error, and nothing lost or leaked."""

from __future__ import annotations

import errno
from collections import Counter
from pathlib import Path

import pytest
from tests.faults import counts
from tests.faults.scenarios import SCENARIOS, Scenario
from tests.faults.sweep import Pair, Stage, occurrences

from millefeuille.testing.file_faults import Fault

ERRORS = (errno.ENOSPC, errno.EIO, errno.EROFS)
_struck: Counter[str] = Counter()
_places: Counter[Pair] = Counter()
_done: set[str] = set()


@pytest.mark.long
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_failing_operation_is_a_clear_error(scenario: Scenario, tmp_path: Path, all_cases: bool) -> None:
    stage = Stage(scenario, tmp_path)
    _done.add(scenario.name)
    wrong = []
    for (operation, site), count in sorted(stage.points().items()):
        place = _places[operation, site]
        _places[operation, site] += 1
        if place >= len(ERRORS) and not all_cases:
            continue  # has failed in each way by now
        chosen = occurrences(count, site + operation, everything=all_cases)
        for occurrence in chosen if all_cases else chosen[-1:]:
            for number in ERRORS if all_cases else (ERRORS[place % len(ERRORS)],):
                fault = Fault(operation=operation, site=site, occurrence=occurrence, effect=number)
                wrong.append(stage.strike(fault, mend=True))
                _struck[errno.errorcode[number]] += 1
    assert not any(wrong), "\n".join(one for one in wrong if one)


def test_the_sweep_was_wide() -> None:
    if _done != {scenario.name for scenario in SCENARIOS}:
        pytest.skip("counts what the tests above have struck")
    counts.said.append(f"failing operations: {_struck.total()} cases, {dict(_struck)}")
    assert all(_struck[errno.errorcode[number]] >= 30 for number in ERRORS)
