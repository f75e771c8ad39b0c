"""Caches: what package managers keep for the next time, which belongs into a cache mount."""

from __future__ import annotations

import re
from collections.abc import Iterator

from millefeuille.analysis.advice.advice import CACHE_MOUNT, Advice
from millefeuille.analysis.advice.edits import AddFlag
from millefeuille.analysis.advice.waste import Place, Waste
from millefeuille.annotations import Final, NamedTuple


class _Cache(NamedTuple):
    """A directory, the commands that use it, and whether two builds may not use it at once."""

    path: str
    tool: str
    locked: bool = False


_CACHES: Final = (
    _Cache("var/lib/apt/lists", r"apt(-get)?", locked=True),
    _Cache("var/cache/apt", r"apt(-get)?", locked=True),
    _Cache("root/.cache/pip", r"pip3?|python3? -m pip"),
    _Cache("root/.cache/uv", r"uv"),
    _Cache("root/.cache/pypoetry", r"poetry"),
    _Cache("root/.npm", r"np[mx]"),
    _Cache("usr/local/share/.cache/yarn", r"yarn"),
    _Cache("root/.cache/yarn", r"yarn"),
    _Cache("root/.local/share/pnpm/store", r"pnpm"),
    _Cache("var/cache/apk", r"apk", locked=True),
    _Cache("var/cache/dnf", r"(micro)?dnf", locked=True),
    _Cache("var/cache/yum", r"yum", locked=True),
    _Cache("root/.cache/go-build", r"go"),
    _Cache("go/pkg/mod", r"go"),
    _Cache("root/go/pkg/mod", r"go"),
    _Cache("usr/local/cargo/registry", r"cargo"),
    _Cache("root/.cargo/registry", r"cargo"),
    _Cache("root/.m2", r"mvn"),
    _Cache("root/.gradle", r"gradle"),
    _Cache("root/.composer/cache", r"composer"),
    _Cache("root/.cache/composer", r"composer"),
)  # fmt: skip


def caches(waste: Waste) -> Iterator[Advice]:
    """Advice for each cache that a RUN left behind, whether a later layer removed it or not."""
    for cache in _CACHES:
        prefix = cache.path.encode() + b"/"
        found: list[Place] = []
        writers: set[int] = set()
        for layer, number in waste.own.items():
            if waste.script[number].word == "RUN":
                here = [place for place, path in waste.files(layer) if path.startswith(prefix)]
                found += here
                writers |= {number} if here else set()
        if found:
            yield _advice(waste, cache, found, writers)


def _advice(waste: Waste, cache: _Cache, found: list[Place], writers: set[int]) -> Advice:
    size, packed, paths = waste.claim(found)
    uses = re.compile(rf"(?:^|[\s;&|(/])(?:{cache.tool})\s")
    stands = range(min(writers), len(waste.script))
    steps = sorted(writers | {n for n in stands if waste.script[n].word == "RUN" and _uses(waste, n, uses)})
    flag = f"--mount=type=cache,target=/{cache.path}" + (",sharing=locked" if cache.locked else "")
    mounted = [f"target=/{cache.path}" in " ".join(waste.script[number].flags) for number in steps]
    edits = tuple(AddFlag(number, flag) for number, there in zip(steps, mounted, strict=True) if not there)
    return Advice(
        kind=CACHE_MOUNT, steps=tuple(steps), size=size, packed=packed, paths=paths, edits=edits,
        text=f"Keep /{cache.path} in a cache mount: it is not in the image then, and the next build has it",
    )  # fmt: skip


def _uses(waste: Waste, number: int, uses: re.Pattern[str]) -> bool:
    # A later FROM begins another stage, but only steps of the image's own chain matter, and they have layers.
    step = waste.script[number]
    return step.layer >= 0 and uses.search(step.body) is not None
