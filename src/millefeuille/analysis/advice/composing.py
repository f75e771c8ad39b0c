"""Composing: pieces of advice, each with a patch only if it can be followed behind the ones before it."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.analysis.advice.advice import Advice
from millefeuille.analysis.advice.rewrite import rewrite
from millefeuille.analysis.advice.step import Step
from millefeuille.values import replace


def composed(script: Sequence[Step], advice: Sequence[Advice]) -> tuple[Advice, ...]:
    """The advice, without the edits of what cannot be followed, and of what relies on that."""
    found = list(advice)
    while (place := _first_unmade(script, found)) is not None:
        steps = set(found[place].steps)
        # What comes later and is about the same was found for a script in which this is done.
        for later in range(place, len(found)):
            if later == place or not steps.isdisjoint(found[later].steps):
                found[later] = replace(found[later], edits=())
    return tuple(found)


def _first_unmade(script: Sequence[Step], advice: Sequence[Advice]) -> int | None:
    owners = [place for place, one in enumerate(advice) for _ in one.edits]
    unmade = rewrite(script, (edit for one in advice for edit in one.edits)).unmade
    return owners[unmade[0]] if unmade else None
