"""Advise: everything there is to say about an image, each byte in one piece of advice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import MappingProxyType

from millefeuille.analysis.advice.advice import CACHE_MOUNT, DUPLICATE, Advice
from millefeuille.analysis.advice.arguments import arguments
from millefeuille.analysis.advice.attributes import attributes
from millefeuille.analysis.advice.caches import caches
from millefeuille.analysis.advice.composing import composed
from millefeuille.analysis.advice.duplicates import duplicates
from millefeuille.analysis.advice.excluded import excluded
from millefeuille.analysis.advice.ignores import ignores
from millefeuille.analysis.advice.inlined import inlined
from millefeuille.analysis.advice.merging import merging
from millefeuille.analysis.advice.mounts import mounts
from millefeuille.analysis.advice.moved import moved
from millefeuille.analysis.advice.order import order
from millefeuille.analysis.advice.stages import stages
from millefeuille.analysis.advice.step import Step
from millefeuille.analysis.advice.surroundings import is_known, shell
from millefeuille.analysis.advice.waste import IGNORE_FILE, Place, ReadEntry, Waste, unread
from millefeuille.analysis.image import Image
from millefeuille.analysis.ledger import Ledger
from millefeuille.annotations import Final
from millefeuille.values import replace

_Rule = Callable[[Waste], Iterator[Advice]]

# What takes a file out of the image comes before what only stops it from being stored twice, and what has a
# patch before what a person is to do.
_RULES: Final[Sequence[_Rule]] = (
    caches, ignores, attributes, duplicates, excluded, moved, mounts, inlined, merging, stages, order,
    arguments,
)  # fmt: skip
# What may stand in the way of more: a RUN that mounts a cache is not joined with the one that removes it, and
# who copies a file once writes the COPY in another way.
_STANDING: Final = MappingProxyType({CACHE_MOUNT: caches, DUPLICATE: duplicates})


def advise(
    image: Image, account: Ledger, script: Sequence[Step], contents: ReadEntry = unread,
    ignore_file: str = IGNORE_FILE,
) -> tuple[Advice, ...]:  # fmt: skip
    """Advice on an image that this script made, in the order in which it is to be followed. `contents` gives
    the content of files, of which some say what else is read: without it less advice has a patch.
    `ignore_file` is what counts as .dockerignore.
    """
    waste = Waste(image=image, account=account, script=script)
    # What another shell makes of the commands, nobody knows here.
    read = [
        step if step.word != "RUN" or is_known(shell(waste, number)) else replace(step, fixed=True)
        for number, step in enumerate(script)
    ]  # fmt: skip
    begin = partial(
        Waste, image=image, account=account, script=read, read=contents, ignore_file=ignore_file
    )  # fmt: skip
    found = _followed(begin(), _RULES)
    for kind, rule in _STANDING.items():
        kinds = {one.kind for one in found if one.edits}
        if kind in kinds and any(one.left for one in found):
            apart: _Rule = partial(rule, is_followed=False)
            other = _followed(begin(), [apart if each is rule else each for each in _RULES])
            found = max(found, other, key=_saved)
    return found


def _followed(waste: Waste, rules: Sequence[_Rule]) -> tuple[Advice, ...]:
    """What the rules find, one after the other, then what a person is to do with what there still is."""
    found = [advice for rule in rules for advice in rule(waste)]
    rest = []
    for one in (each for each in found if each.left):
        size, packed, paths = waste.claim(Place(*entry) for entry in one.left)
        rest += [replace(one, size=size, packed=packed, paths=paths)] if size else []
    return composed(waste.script, [*(each for each in found if not each.left), *rest])


def _saved(advice: Sequence[Advice]) -> int:
    """The bytes that are saved without a person."""
    return sum(one.size for one in advice if one.edits)
