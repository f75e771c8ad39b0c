"""Advise: everything there is to say about an image, each byte in one piece of advice."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.analysis.advice.advice import Advice
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
from millefeuille.analysis.advice.waste import IGNORE_FILE, ReadEntry, Waste, unread
from millefeuille.analysis.image import Image
from millefeuille.analysis.ledger import Ledger
from millefeuille.annotations import Final
from millefeuille.values import replace

# What takes a file out of the image comes before what only stops it from being stored twice.
_RULES: Final = (
    caches, ignores, attributes, duplicates, excluded, moved, mounts, inlined, merging, stages, order,
    arguments,
)  # fmt: skip


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
    waste = Waste(image=image, account=account, script=read, read=contents, ignore_file=ignore_file)
    return composed(read, [advice for rule in _RULES for advice in rule(waste)])
