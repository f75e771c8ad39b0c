"""Gates: the rules that are asked for, read, asked, and their verdicts as lines."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from millefeuille.analysis.compare import Shown
from millefeuille.analysis.rules import (
    FAIL,
    PASS,
    SKIP,
    BadRule,
    Budgets,
    DiveRules,
    Outcome,
    budget_outcomes,
    dive_outcomes,
    growth_outcomes,
    matches,
)
from millefeuille.analysis.schema import Document
from millefeuille.annotations import Final
from millefeuille.errors import NotFound
from millefeuille.faces.cli.analyze.subject import Subject
from millefeuille.faces.cli.escaped import printable
from millefeuille.faces.yaml import NULL, BadYaml, Value, excerpt, read_yaml
from millefeuille.layers.entry import SYMLINK
from millefeuille.layers.following import follow

_NAMES: Final = {
    "lowestEfficiency": "lowest_efficiency",
    "highestWastedBytes": "highest_wasted_bytes",
    "highestUserWastedPercent": "highest_user_wasted_percent",
}  # fmt: skip
_WILD: Final = frozenset("*?[")


class NoRules(NotFound):
    """The file with the rules is not there."""


def read_rules(path: str, *, must_exist: bool) -> DiveRules | None:
    """Dive's rules from a `.dive-ci` file; None when there is none. Raises NoRules, BadRule."""
    if not os.path.exists(path):
        if must_exist:
            raise NoRules(f"open {path}: no such file or directory")
        return None
    with open(path, encoding="utf-8-sig", errors="replace") as file:
        text = file.read()
    try:
        return DiveRules(**dict(_given(read_yaml(text), path)))
    except BadYaml as error:
        raise BadRule(f"{path}: {error}") from error


def _given(document: Mapping[str, Value], path: str) -> Iterator[tuple[str, str]]:
    """The rules of a file, whose keys may be in any letters, and `rules.` and a rule in one."""
    rows: list[tuple[str, Value]] = []
    for key, value in document.items():
        head, _, rule = key.lower().partition(".")
        if head != "rules":
            continue
        if rule:
            rows.append((rule, value))
        elif isinstance(value, dict):
            rows += value.items()
        elif value != "" and value is not NULL:
            raise BadRule(f"{path}: rules: expected a map, not {excerpt(value)}")
    # Of a rule in both spellings, Dive takes the one without hyphens.
    rows.sort(key=lambda row: "-" not in row[0])
    names = {name.lower(): field for name, field in _NAMES.items()}
    for name, value in rows:
        known = names.get(name.replace("-", "").lower())
        if known is None:
            raise BadRule(f"{path}: there is no rule {excerpt(name)}; there are {', '.join(_NAMES)}")
        if not isinstance(value, str):
            raise BadRule(f"{path}: {name}: expected a number or a size, not {excerpt(value)}")
        if value is not NULL:
            yield known, value


def outcomes(
    subject: Subject, rules: DiveRules | None, budgets: Budgets, before: Document | None, *, allowed: int
) -> tuple[Outcome, ...]:
    """The verdicts on an image; Dive's come first. Raises BadRule."""
    if rules is None and before is None and budgets == Budgets():
        return ()
    document = subject.document
    found: list[Outcome] = []
    if rules is not None:
        found += dive_outcomes(rules, document)
    found += budget_outcomes(budgets, document, _path_sizes(subject, budgets) if budgets.paths else None)
    if before is not None:
        found += growth_outcomes(document, before, allowed=allowed)
    return tuple(found)


def lines(found: Sequence[Outcome]) -> str:
    """One line for each verdict and one with their number, as Dive writes them."""
    if not found:
        return ""
    failed = sum(outcome.status == FAIL for outcome in found)
    passed = sum(outcome.status == PASS for outcome in found)
    skipped = sum(outcome.status == SKIP for outcome in found)
    rows = [
        f"  {outcome.status}: {printable(outcome.rule + (outcome.reason and f': {outcome.reason}'))}\n"
        for outcome in found
    ]
    tally = f"[Total:{len(found)}] [Passed:{passed}] [Failed:{failed}] [Warn:0] [Skipped:{skipped}]"
    return f"Results:\n{''.join(rows)}Result:{FAIL if failed else PASS} {tally}\n"


def ratio(text: str) -> float:
    """A number from 0 to 1. Raises BadRule."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise BadRule(f"{text}: expected a number from 0 to 1")
    return value


def _path_sizes(subject: Subject, budgets: Budgets) -> dict[str, int]:
    """The live bytes at and below each path that has a budget; of a file with several names, once."""
    shown = Shown(subject.analysis.image.layers)
    found: dict[str, dict[tuple[int, int], int]] = {pattern: {} for pattern, _ in budgets.paths}
    sums = [(_led(shown, pattern), files) for pattern, files in found.items()]
    for path in shown.paths:
        size = shown.size(path)
        text = os.fsdecode(path) if size else ""
        for pattern, files in sums:
            if size and matches(text, pattern):
                layer, entry = shown.place(path)
                files[id(layer), entry] = size
    return {pattern: sum(files.values()) for pattern, files in found.items()}


def _led(shown: Shown, pattern: str) -> str:
    """Where a pattern leads in the image, as far as it has no wildcards. Raises TooManyLinks."""
    parts = pattern.split("/")
    plain = next((place for place, part in enumerate(parts) if set(part) & _WILD), len(parts))

    def link_at(path: bytes) -> bytes | None:
        if path not in shown.paths:
            return None
        layer, entry = shown.place(path)
        return layer.index.link(entry) if layer.kinds[entry] == SYMLINK else None

    there = follow(os.fsencode("/".join(parts[:plain])), link_at, leaf=True)
    return "/".join((os.fsdecode(there), *parts[plain:]))
