"""Script: the steps of an image: from its history, and from the Dockerfile where one is known."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.analysis.advice.step import NO_LAYER, Step, read_step
from millefeuille.analysis.dockerfile import UNREAD, own_instructions
from millefeuille.analysis.image import Image
from millefeuille.values import replace


def from_history(image: Image, lines: Sequence[int] = ()) -> tuple[Step, ...]:
    """The steps above the base, as the history tells them; `lines` has for each layer that of the Dockerfile
    which made it, 0 where that is not known.

    A history that tells of fewer layers than there are does not say of which: no step then has one.
    """
    told = image.config.filled_steps == len(image.parts)
    steps = [Step(word="FROM", body=image.base_name or "scratch")]
    layer = image.base
    for past, text in own_instructions(image):
        number = NO_LAYER if past.empty_layer or not told else layer
        layer += not past.empty_layer
        line = lines[number] if 0 <= number < len(lines) else 0
        # A RUN all the same, and no command for anybody to write anew.
        unread = text.startswith(UNREAD)
        text = text.removeprefix("# ") if unread else text
        steps.append(read_step(text, first=line, last=line, layer=number, fixed=unread))
    return tuple(steps)


def matched(steps: Sequence[Step], image: Image, lines: Sequence[int] = ()) -> tuple[Step, ...]:
    """The steps of a Dockerfile, each with the layer it made: by the `lines` of a build of ours, else by the
    words of the history, from the last one upwards.
    """
    if any(lines):
        layers = {line: layer for layer, line in enumerate(lines) if line}
        return tuple(replace(step, layer=layers.get(step.first, NO_LAYER)) for step in steps)
    found = list(steps)
    past = [step for step in from_history(image) if step.layer >= 0]
    for place in range(len(found) - 1, -1, -1):
        if found[place].word == "FROM":
            break
        if past and found[place].word == past[-1].word:
            found[place] = replace(found[place], layer=past.pop().layer)
    return tuple(found)
