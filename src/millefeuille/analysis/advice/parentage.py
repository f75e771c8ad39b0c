"""Parentage: the stages of a Dockerfile, and which of them stands on which."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from millefeuille.analysis.advice.step import Step
from millefeuille.analysis.advice.waste import Waste
from millefeuille.annotations import NamedTuple


class Stage(NamedTuple):
    """The steps from its FROM, at `begin`, up to `end`; `base` is the place of the FROM of the stage that it
    stands on, -1 for an image, `unsure` where a variable might be the name of a stage.
    """

    begin: int
    end: int
    name: str
    base: int = -1
    unsure: bool = False


def staged(script: Sequence[Step]) -> tuple[Stage, ...]:
    """The stages of a script, from above."""
    begins = [place for place, step in enumerate(script) if step.word == "FROM"]
    named: dict[str, int] = {}
    found = []
    for begin, end in zip(begins, [*begins[1:], len(script)][: len(begins)], strict=True):
        words = [word.lower() for word in script[begin].body.split() if not word.startswith("--")]
        base, name = words[0] if words else "", words[2] if words[1:2] == ["as"] and len(words) > 2 else ""
        found.append(Stage(begin, end, name, named.get(base, -1), "$" in base))
        named |= {name: begin} if name else {}
    return tuple(found)


def siblings(waste: Waste, number: int) -> Iterator[int]:
    """The places of the steps that no layer of the image is from, and that see what the step `number` did."""
    seeing: set[int] = set()
    for stage in staged(waste.script):
        if stage.begin <= number < stage.end:
            seeing.add(stage.begin)
        elif seeing and (stage.unsure or stage.base in seeing):
            seeing.add(stage.begin)
            yield from (n for n in range(stage.begin + 1, stage.end) if waste.script[n].layer < 0)
