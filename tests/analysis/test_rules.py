"""Rules: what their verdicts say."""

from __future__ import annotations

from typing import Any

import pytest

from millefeuille.analysis.rules import FAIL, PASS, Budgets, budget_outcomes


@pytest.mark.parametrize(
    ("found", "limit", "reason"),
    [
        (0.85, 0.9, "exact efficiency is 0.850000, lowest allowed 0.9"),
        (0.99999990, 0.99999995, "exact efficiency is 0.9999999, lowest allowed 0.99999995"),
        (0.8999999999, 0.9, "exact efficiency is 0.8999999999, lowest allowed 0.9"),
        (0.9, 0.9, ""),
    ],
)
def test_a_broken_efficiency_is_never_told_as_one_that_is_kept(
    found: float, limit: float, reason: str
) -> None:
    document: Any = {"score": {"exact": {"efficiency": found}}}
    [verdict] = budget_outcomes(Budgets(efficiency=limit), document)
    assert (verdict.status, verdict.reason) == (FAIL if reason else PASS, reason)
