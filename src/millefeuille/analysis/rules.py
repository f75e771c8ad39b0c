"""Rules: what an image must keep to in CI. Dive's three, budgets, and no growth against another image."""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Iterator, Mapping

from millefeuille.analysis.commonground import on_common_ground
from millefeuille.analysis.schema import Document
from millefeuille.annotations import Final
from millefeuille.errors import Invalid
from millefeuille.values import dataclass

PASS: Final = "PASS"
FAIL: Final = "FAIL"
SKIP: Final = "SKIP"
_OFF: Final = frozenset(("", "disabled", "off", "false"))
_UNITS: Final = ("", "k", "m", "g", "t", "p", "e")
_SIZE: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([a-z]*)", re.ASCII)
_BEYOND: Final = 1 << 64  # bytes; the first number that Dive takes for none


class BadRule(Invalid):
    """A rule's value cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one rule; `status` is PASS, FAIL or SKIP, `reason` a sentence for the last two."""

    rule: str
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiveRules:
    """Dive's rules as texts, each perhaps switched off; the defaults are Dive's."""

    lowest_efficiency: str = "0.9"
    highest_wasted_bytes: str = "disabled"
    highest_user_wasted_percent: str = "0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgets:
    """Our own rules. Sizes are bytes, None for no limit; `paths` maps patterns of paths to bytes."""

    size: int | None = None
    layer: int | None = None
    waste: int | None = None
    efficiency: float | None = None
    paths: tuple[tuple[str, int], ...] = ()


def dive_outcomes(rules: DiveRules, found: Document) -> tuple[Outcome, ...]:
    """Dive's verdicts, sorted by the rules' names as Dive prints them. Raises BadRule."""
    dive = found["score"]["dive"]
    size, wasted = dive["userSizeBytes"], dive["wastedBytes"]
    share = wasted / size if size else math.inf if wasted else math.nan
    return (
        _wasted_percent(rules.highest_user_wasted_percent, share),
        _wasted_bytes(rules.highest_wasted_bytes, wasted),
        _efficiency(rules.lowest_efficiency, dive["efficiency"]),
    )


def budget_outcomes(
    budgets: Budgets, found: Document, sizes: Mapping[str, int] | None = None
) -> Iterator[Outcome]:
    """Our verdicts; `sizes` has the live bytes below each pattern of `budgets.paths`."""
    exact = found["score"]["exact"]
    if budgets.size is not None:
        yield _at_most("maxSize", "the image's layers hold", exact["storedBytes"], budgets.size)
    if budgets.layer is not None:
        for layer in found["layers"]:
            words = f"layer {layer['index']} holds"
            yield _at_most(f"maxLayerSize/{layer['index']}", words, layer["sizeBytes"], budgets.layer)
    if budgets.waste is not None:
        yield _at_most("maxWaste", "avoidable waste is", exact["avoidableBytes"], budgets.waste)
    if budgets.efficiency is not None:
        yield _at_least(exact["efficiency"], budgets.efficiency)
    for pattern, limit in budgets.paths:
        taken = (sizes or {}).get(pattern, 0)
        yield _at_most(f"path/{pattern.lstrip('/')}", f"{pattern} takes", taken, limit)


def growth_outcomes(found: Document, before: Document, *, allowed: int = 0) -> Iterator[Outcome]:
    """No more bytes stored, and none more wasted, than another image has, but for `allowed` bytes."""
    found, before = on_common_ground(found, before)
    new, old = found["score"]["exact"], before["score"]["exact"]
    for rule, key, words in (
        ("noGrowth", "storedBytes", "stored bytes grew"),
        ("noMoreWaste", "avoidableBytes", "avoidable waste grew"),
    ):
        grown = new[key] - old[key]
        failed = grown > allowed
        reason = f"{words} by {grown} to {new[key]} (allowed: {allowed})" if failed else ""
        yield Outcome(rule=rule, status=FAIL if failed else PASS, reason=reason)


def parse_size(text: str) -> int:
    """Bytes from `20MB`, `1.5 GiB`, `300`, as Dive reads them. Raises BadRule."""
    match = _SIZE.fullmatch(text.strip().lower().replace(",", ""))
    unit = match[2] if match else "?"
    binary = unit.endswith(("ib", "i")) and len(unit) > 1
    letter = unit.removesuffix("b").removesuffix("i") if binary else unit.removesuffix("b")
    if match is None or letter not in _UNITS:
        raise BadRule(f"unhandled size name: {text}")
    size = float(match[1]) * (1024 if binary else 1000) ** _UNITS.index(letter)
    if size >= _BEYOND:
        raise BadRule(f"size is too large: {text[:20]}…")
    return int(size)


def matches(path: str, pattern: str) -> bool:
    """Whether a path is the pattern, or fits it as a shell's wildcard, or lies below what is or does."""
    path, pattern = path.strip("/"), pattern.strip("/")
    below = not pattern or path == pattern or path.startswith(pattern + "/")
    return below or fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(path, pattern + "/*")


def _at_most(rule: str, words: str, size: int, limit: int) -> Outcome:
    failed = size > limit
    reason = f"{words} {size} bytes, {limit} are allowed" if failed else ""
    return Outcome(rule=rule, status=FAIL if failed else PASS, reason=reason)


def _at_least(found: float, limit: float) -> Outcome:
    failed = found < limit
    # All digits where six would say that the rule is kept.
    shown = f"{found:.6f}" if float(f"{found:.6f}") < limit else repr(found)
    reason = f"exact efficiency is {shown}, lowest allowed {limit}" if failed else ""
    return Outcome(rule="minEfficiency", status=FAIL if failed else PASS, reason=reason)


def _efficiency(text: str, found: float) -> Outcome:
    rule = "lowestEfficiency"
    if text in _OFF:
        return Outcome(rule=rule, status=SKIP, reason="rule disabled")
    threshold = _ratio(rule, text)
    if threshold > found:
        reason = f"image efficiency is too low (efficiency={_go(found)} < threshold={_go(threshold)})"
        return Outcome(rule=rule, status=FAIL, reason=reason)
    return Outcome(rule=rule, status=PASS)


def _wasted_bytes(text: str, found: int) -> Outcome:
    rule = "highestWastedBytes"
    if text in _OFF:
        return Outcome(rule=rule, status=SKIP, reason="rule disabled")
    threshold = parse_size(text)
    if found > threshold:
        reason = f"too many bytes wasted (wasted-bytes={found} > threshold={threshold})"
        return Outcome(rule=rule, status=FAIL, reason=reason)
    return Outcome(rule=rule, status=PASS)


def _wasted_percent(text: str, found: float) -> Outcome:
    rule = "highestUserWastedPercent"
    if text in _OFF:
        return Outcome(rule=rule, status=SKIP, reason="rule disabled")
    threshold = _ratio(rule, text)
    if found > threshold:
        reason = (
            "too many bytes wasted, relative to the user bytes added "
            f"(%-user-wasted-bytes={_go(found)} > threshold={_go(threshold)})"
        )
        return Outcome(rule=rule, status=FAIL, reason=reason)
    return Outcome(rule=rule, status=PASS)


def _ratio(rule: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise BadRule(f"{rule} config value is outside allowed range (0-1), given '{text}'")
    return value


def _go(value: float) -> str:
    """A float as Go's %v writes it, where it matters here."""
    if math.isinf(value):
        return "+Inf"
    return str(int(value)) if value == int(value) else repr(value)
