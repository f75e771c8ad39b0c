"""Arguments: an ARG that has another value in every build, in front of work that does not read it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from millefeuille.analysis.advice.advice import ORDER, Advice, Trigger
from millefeuille.analysis.advice.edits import Edit, Move
from millefeuille.analysis.advice.passing import says
from millefeuille.analysis.advice.waste import Waste
from millefeuille.annotations import Final

_CHANGING: Final = re.compile(r"SHA|COMMIT|REVISION|BUILD|DATE|TIME|VERSION|GIT|TAG", re.IGNORECASE)
_ABOUT: Final = ("LABEL", "MAINTAINER")  # what says something of the image, and no RUN sees


def arguments(waste: Waste) -> Iterator[Advice]:
    """Advice for ARGs, with the LABELs that say them, in front of RUNs that do not read them."""
    for number, step in enumerate(waste.script):
        if step.word == "ARG" and not step.fixed:
            advice = _argument(waste, number)
            if advice is not None:
                yield advice


def _argument(waste: Waste, number: int) -> Advice | None:
    step = waste.script[number]
    name = step.body.partition("=")[0].strip()
    if not _CHANGING.search(name) or " " in step.body.strip():
        return None
    passed, labels, last = [], [], number
    for later in range(number + 1, len(waste.script)):
        other = waste.script[later]
        if other.word in _ABOUT and says(other, name):
            labels.append(later)
            continue
        if says(other, name) or other.word == "FROM" or other.fixed:
            break
        if other.word == "RUN" and other.layer >= 0:
            passed.append(later)
            last = later
    labels = [label for label in labels if label < last]
    rebuilt = sum(waste.account.layers[waste.script[each].layer].stored for each in passed)
    if not rebuilt:  # what writes nothing is soon made again
        return None
    edits: list[Edit] = [Move(number, tuple(passed))]
    # Each goes behind the one that went there before it.
    edits += [Move(label, (place,)) for label, place in zip(labels, (number, *labels), strict=False)]
    return Advice(
        kind=ORDER, steps=(number, *labels, *passed), edits=() if waste.is_joined(passed) else tuple(edits),
        rebuilt=rebuilt,
        trigger=Trigger("argument", name),
        text=f"Declare ARG {name} behind what does not read it: all RUNs below are made again with it",
    )  # fmt: skip
