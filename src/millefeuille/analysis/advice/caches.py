"""Caches: what package managers keep for the next time, which belongs into a cache mount."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from millefeuille.analysis.advice.advice import CACHE_MOUNT, Advice
from millefeuille.analysis.advice.cacheplaces import cache_places
from millefeuille.analysis.advice.edits import AddFlag
from millefeuille.analysis.advice.mounting import mounting
from millefeuille.analysis.advice.needed import is_needed
from millefeuille.analysis.advice.packagelists import are_missed
from millefeuille.analysis.advice.reach import text_of
from millefeuille.analysis.advice.waste import Place, Waste
from millefeuille.analysis.layer import Layer
from millefeuille.annotations import Final, NamedTuple
from millefeuille.layers.entry import HARDLINK
from millefeuille.values import replace


class _Cache(NamedTuple):
    """A directory, the commands that use it, and whether two builds may not use it at once."""

    path: str
    tool: str
    locked: bool = False


_CACHES: Final = (
    _Cache("var/lib/apt/lists", r"apt(-get|-cache)?|aptitude", locked=True),
    _Cache("var/cache/apt", r"apt(-get)?|aptitude", locked=True),
    _Cache("var/cache/apk", r"apk", locked=True),
    _Cache("var/cache/dnf", r"(micro)?dnf", locked=True),
    _Cache("var/cache/libdnf5", r"dnf5?", locked=True),
    _Cache("var/cache/yum", r"yum", locked=True),
    _Cache("var/cache/zypp", r"zypper", locked=True),
    _Cache("var/cache/pacman/pkg", r"pacman", locked=True),
    _Cache("usr/local/share/.cache/yarn", r"yarn"),
    _Cache("usr/local/bundle/cache", r"bundle|gem"),
    _Cache("opt/conda/pkgs", r"(micro)?mamba|conda", locked=True),
    _Cache("go/pkg/mod", r"go"),
    _Cache("usr/local/cargo/registry", r"cargo"),
    _Cache("usr/local/cargo/git", r"cargo"),
)  # fmt: skip
# The same below the home of whoever runs the tool.
_AT_HOME: Final = (
    _Cache(".cache/pip", r"pip3?|python3? -m pip"),
    _Cache(".cache/uv", r"uv"),
    _Cache(".cache/pypoetry/cache", r"poetry"),  # beside which there are virtual environments
    _Cache(".cache/pypoetry/artifacts", r"poetry"),
    _Cache(".cache/pipenv", r"pipenv"),
    _Cache(".npm", r"np[mx]"),
    _Cache(".cache/yarn", r"yarn"),
    _Cache(".yarn/berry/cache", r"yarn"),
    _Cache(".local/share/pnpm/store", r"pnpm"),
    _Cache(".cache/pnpm", r"pnpm"),
    _Cache(".bun/install/cache", r"bun"),
    _Cache(".cache/deno", r"deno"),
    _Cache(".cache/go-build", r"go"),
    _Cache("go/pkg/mod", r"go"),
    _Cache(".cargo/registry", r"cargo"),
    _Cache(".cargo/git", r"cargo"),
    _Cache(".m2/repository", r"mvnw?"),  # beside which there are settings, as with the next ones
    _Cache(".gradle/caches", r"gradlew?"),
    _Cache(".gradle/wrapper/dists", r"gradlew"),
    _Cache(".ivy2/cache", r"sbt"),
    _Cache(".cache/coursier", r"sbt|cs"),
    _Cache(".composer/cache", r"composer"),
    _Cache(".cache/composer", r"composer"),
    _Cache(".bundle/cache", r"bundle|gem"),
    _Cache(".nuget/packages", r"dotnet"),
    _Cache(".conda/pkgs", r"(micro)?mamba|conda", locked=True),
    _Cache(".ccache", r"ccache|make|cmake|ninja"),
    _Cache(".cache/ccache", r"ccache|make|cmake|ninja"),
    _Cache(".cpanm", r"cpanm"),
    _Cache(".cabal/packages", r"cabal"),
    _Cache(".hex/packages", r"mix"),
    _Cache(".cache/bazel", r"bazel|bazelisk"),
)  # fmt: skip
_HOME: Final = re.compile(
    rf"((?:[^/.][^/]*/){{1,3}}?)({'|'.join(re.escape(cache.path) for cache in _AT_HOME)})/"
)
_BY_PATH: Final = {cache.path: cache for cache in _AT_HOME}


def caches(waste: Waste, *, is_followed: bool = True) -> Iterator[Advice]:
    """Advice for each cache that a RUN left behind, whether a later layer removed it or not; a person is to
    follow it where it is not `is_followed`.
    """
    given = _given(waste)
    found: dict[_Cache, list[Place]] = {}
    tied: set[_Cache] = set()
    for layer, number in waste.own.items():
        if waste.script[number].word == "RUN":
            links = _links(waste.image.parts[layer].layer, given)
            tied |= {cache for cache in links.values() if cache is not None}
            for place, path in waste.files(layer):
                cache = _cache_of(path, given)
                if cache is not None and path not in links:
                    found.setdefault(cache, []).append(place)
    order = [cache for cache in dict.fromkeys((*_CACHES, *given)) if cache in found]
    for cache in (*order, *(cache for cache in found if cache not in order)):
        advice = _advice(waste, cache, found[cache], {waste.own[place.layer] for place in found[cache]})
        # A link does not lead out of a mount.
        advice = replace(advice, edits=()) if cache in tied or not is_followed else advice
        size, packed, paths = waste.claim(found[cache], is_followed=bool(advice.edits))
        waste.give(advice.edits)
        for edit in advice.edits:
            if isinstance(edit, AddFlag):
                waste.mounted.setdefault(edit.step, []).append(f"/{cache.path}")
        left = () if advice.edits else tuple(found[cache])
        yield replace(advice, size=size, packed=packed, paths=paths, left=left)


def _given(waste: Waste) -> tuple[_Cache, ...]:
    """The caches whose places are given by variables of the image."""
    process = waste.image.config.process
    environment, working = process.get("Env"), process.get("WorkingDir")
    pairs = [pair for pair in environment if isinstance(pair, str)] if isinstance(environment, list) else []
    places = cache_places(pairs, working if isinstance(working, str) else "")
    return tuple(_Cache(place.path, place.tool) for place in places)


def _links(layer: Layer, given: Sequence[_Cache]) -> dict[bytes, _Cache | None]:
    """The hard links that lead into a cache or out of it, as conda and pnpm make them, and their targets: the
    cache that each is in.
    """
    found: dict[bytes, _Cache | None] = {}
    for entry, kind in enumerate(layer.kinds):
        if kind == HARDLINK:
            ends = {path: _cache_of(path, given) for path in (layer.paths[entry], layer.index.link(entry))}
            if len(set(ends.values())) > 1:
                found |= ends
    return found


def _cache_of(raw: bytes, given: Sequence[_Cache]) -> _Cache | None:
    """The cache that a file lies in, with the place of this one."""
    path = raw.decode("utf-8", "surrogateescape")
    for cache in (*_CACHES, *given):
        if path.startswith(cache.path + "/"):
            return cache
    match = _HOME.match(path)
    return _BY_PATH[match[2]]._replace(path=match[1] + match[2]) if match else None


def _advice(waste: Waste, cache: _Cache, found: list[Place], writers: set[int]) -> Advice:
    owner = _owner(waste, found)
    uses = re.compile(rf"(?:^|[\s;&|(/\"'`])(?:{cache.tool})(?:[\s;&|)\"'`]|$)")
    stands = range(min(writers), len(waste.script))
    steps = sorted(writers | {n for n in stands if waste.script[n].word == "RUN" and _uses(waste, n, uses)})
    flag = f"--mount=type=cache,target=/{cache.path}" + (",sharing=locked" if cache.locked else "") + owner
    needed = is_needed(waste, cache.path, cache.tool, steps) or are_missed(waste, cache.path, found)
    return Advice(
        kind=CACHE_MOUNT, steps=tuple(steps),
        edits=() if needed else mounting(waste, cache.path, flag, steps),
        text=f"Keep /{cache.path} in a cache mount: it is not in the image then, and the next build has it",
    )  # fmt: skip


def _owner(waste: Waste, found: list[Place]) -> str:
    """What makes the mount that of the user who writes there; nothing for root."""
    index = waste.image.parts[found[0].layer].layer.index
    uid, gid = index.uids[found[0].entry], index.gids[found[0].entry]
    return f",uid={uid},gid={gid}" if uid or gid else ""


def _uses(waste: Waste, number: int, uses: re.Pattern[str]) -> bool:
    # A later FROM begins another stage, but only steps of the image's own chain are mended: they have layers.
    step = waste.script[number]
    return step.layer >= 0 and uses.search(text_of(step)) is not None
