"""Stages: tools for building that are in an image which only runs what was built."""

from __future__ import annotations

import re
from collections.abc import Iterator

from millefeuille.analysis.advice.advice import STAGES, Advice
from millefeuille.analysis.advice.waste import Waste
from millefeuille.annotations import Final

_TOOLS: Final = re.compile(
    rb"usr/(local/)?(bin/([\w-]+-)?(gcc|g\+\+|cc1|clang|ld|as|make|cmake|ninja|rustc|javac|ghc)(-[\d.]+)?$"
    rb"|lib(exec)?/gcc/|include/|go/(pkg|src|bin)/|lib/llvm|share/cmake)|(root/)?\.rustup/|usr/local/rustup/"
)
_LEAST: Final = 1 << 20  # bytes that are worth a stage


def stages(waste: Waste) -> Iterator[Advice]:
    """Advice when RUNs of the image installed compilers and headers; how to divide it, a person must say."""
    found, steps, total = [], [], 0
    dead = set(waste.account.dead)
    for layer, number in waste.own.items():
        if waste.script[number].word != "RUN":
            continue
        here = [one for one, path in waste.files(layer) if _TOOLS.match(path) and tuple(one) not in dead]
        total += sum(waste.image.parts[layer].layer.sizes[one.entry] for one in here)
        found += here
        steps += [number] if here else []
    if total >= _LEAST:
        size, packed, paths = waste.claim(found, is_followed=False)
        yield Advice(
            kind=STAGES, steps=tuple(steps), size=size, packed=packed, paths=paths, left=tuple(found),
            text="Build in a stage of its own and COPY --from it what came of it, without the tools",
        )  # fmt: skip
