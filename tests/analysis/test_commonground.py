"""Two images held against each other, whatever each of them was analysed above."""

from __future__ import annotations

from typing import Any

from millefeuille.analysis.commonground import on_common_ground
from millefeuille.analysis.rules import FAIL, PASS, growth_outcomes


def document(layers: str, base: int, *waste: tuple[int, int]) -> dict[str, Any]:
    """An image of these layers, the lowest `base` of which are another's; `waste` are writers and sizes."""
    shadowed = sum(size for _, size in waste)
    inherited = sum(size for writer, size in waste if writer < base)
    return {
        "image": {"base": {"layers": base, "name": ""}},
        "layers": [{"diffId": layer} for layer in layers],
        "score": {"exact": {
            "storedBytes": 100, "shadowedBytes": shadowed, "inheritedBytes": inherited,
            "avoidableBytes": shadowed - inherited,
        }},
        "waste": [{"writer": writer, "sizeBytes": size} for writer, size in waste],
    }  # fmt: skip


def avoidable(found: dict[str, Any], before: dict[str, Any]) -> tuple[int, int]:
    now, then = on_common_ground(found, before)
    for one in (now, then):
        exact = one["score"]["exact"]
        assert exact["avoidableBytes"] + exact["inheritedBytes"] == exact["shadowedBytes"]
    return now["score"]["exact"]["avoidableBytes"], then["score"]["exact"]["avoidableBytes"]


def test_an_earlier_version_is_no_base_of_the_later() -> None:
    old = document("ab", 0, (0, 30))
    assert avoidable(document("abc", 2, (0, 30)), old) == (30, 30)
    assert avoidable(document("abd", 2, (0, 30), (1, 20)), old) == (50, 30)
    assert avoidable(old, document("abc", 2, (0, 30))) == (30, 30)
    # One in between that neither of them is.
    assert avoidable(document("abcd", 3, (0, 30), (2, 5)), old) == (35, 30)


def test_a_base_of_both_stays_one() -> None:
    assert avoidable(document("abc", 1, (0, 7), (1, 2)), document("abd", 1, (0, 7))) == (2, 0)


def test_who_share_nothing_keep_their_own() -> None:
    assert avoidable(document("abc", 2, (0, 7)), document("xy", 1, (0, 3), (1, 4))) == (0, 4)


def test_the_rule_goes_by_it() -> None:
    old = document("ab", 0, (0, 30))
    for found, status in ((document("abc", 2, (0, 30)), PASS), (document("abd", 2, (0, 30), (1, 20)), FAIL)):
        for one, other in ((found, old), (old, found)):
            expected = status if one is found else PASS
            assert [outcome.status for outcome in growth_outcomes(one, other)] == [PASS, expected]
