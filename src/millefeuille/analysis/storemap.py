"""The map of a store: what its images have in common, by layer and by content, and what that could save."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from millefeuille.analysis.layer import Layer
from millefeuille.annotations import Final
from millefeuille.oci.digest import Digest
from millefeuille.values import dataclass

NEAR: Final = 0.8  # of its bytes two layers have in common that are nearly the same
ALIKE: Final = 0.5  # of the smaller image's bytes, for images that could stand on one base
_COMMON: Final = 100  # layers; what more of them have says nothing about any two
_FILES: Final = 50  # repeated files that are told of

_Contents = Mapping[bytes, int]  # the size of each content


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLayer:
    """A layer and the images that have it; `size` is the bytes of its files."""

    layer: Digest
    size: int
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NearLayers:
    """Two layers that are nearly the same: bytes in both, the part that is of the larger one."""

    layers: tuple[Digest, Digest]
    common: int
    likeness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedFile:
    """One content in several layers: its hash, its size, the layers, and one path of it."""

    content: bytes
    size: int
    layers: tuple[Digest, ...]
    path: bytes

    @property
    def extra(self) -> int:
        """Bytes that one copy would save."""
        return self.size * (len(self.layers) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonBase:
    """Images that do not share what is the same in all of them: its size, and what one base would save."""

    images: tuple[str, ...]
    size: int
    saved: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreMap:
    """What is to be known. `stored` are the bytes of all layers' files, `without_sharing` those that the
    images would take if none had a layer in common, `repeated` what several layers hold more than once.
    """

    stored: int
    without_sharing: int
    repeated: int
    shared: tuple[SharedLayer, ...]
    near: tuple[NearLayers, ...]
    files: tuple[RepeatedFile, ...]
    bases: tuple[CommonBase, ...]


def store_map(stacks: Mapping[str, Sequence[Digest]], layers: Mapping[Digest, Layer]) -> StoreMap:
    """The map of the images with these layers, by their names."""
    contents = {digest: _contents(layer) for digest, layer in layers.items()}
    sizes = {digest: layer.index.content_size for digest, layer in layers.items()}
    holders: dict[bytes, list[Digest]] = {}
    for digest, found in contents.items():
        for content in found:
            holders.setdefault(content, []).append(digest)
    several = {content: held for content, held in holders.items() if len(held) > 1}
    files = _repeated(several, layers, contents)
    return StoreMap(
        stored=sum(sizes.values()),
        without_sharing=sum(sizes[digest] for stack in stacks.values() for digest in set(stack)),
        repeated=sum(one.extra for one in files), shared=_shared(stacks, sizes),
        near=tuple(_near(several, contents)), files=files[:_FILES], bases=tuple(_bases(stacks, contents)),
    )  # fmt: skip


def _contents(layer: Layer) -> _Contents:
    rows = zip(layer.index.contents(), layer.sizes, strict=True)
    return {content: size for content, size in rows if content and size}


def _shared(stacks: Mapping[str, Sequence[Digest]], sizes: Mapping[Digest, int]) -> tuple[SharedLayer, ...]:
    users: dict[Digest, list[str]] = {}
    for name, stack in stacks.items():
        for digest in dict.fromkeys(stack):
            users.setdefault(digest, []).append(name)
    found = [
        SharedLayer(layer=digest, size=sizes[digest], images=tuple(names))
        for digest, names in users.items() if len(names) > 1
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (-one.size * (len(one.images) - 1), str(one.layer))))


def _repeated(
    several: Mapping[bytes, Sequence[Digest]], layers: Mapping[Digest, Layer],
    contents: Mapping[Digest, _Contents],
) -> tuple[RepeatedFile, ...]:  # fmt: skip
    gains = {content: contents[held[0]][content] * (len(held) - 1) for content, held in several.items()}
    shown = sorted(several, key=lambda content: (-gains[content], content))
    paths = dict[bytes, bytes]()
    wanted = {several[content][0] for content in shown[:_FILES]}
    for digest in wanted:
        layer = layers[digest]
        for content, path in zip(layer.index.contents(), layer.paths, strict=True):
            paths.setdefault(content, path)
    return tuple(
        RepeatedFile(
            content=content, size=contents[several[content][0]][content], layers=tuple(several[content]),
            path=paths.get(content, b""),
        )
        for content in shown
    )  # fmt: skip


def _near(
    several: Mapping[bytes, Sequence[Digest]], contents: Mapping[Digest, _Contents]
) -> Iterator[NearLayers]:
    """The pairs, the ones with most in common first."""
    common: Counter[tuple[Digest, Digest]] = Counter()
    for content, held in several.items():
        if len(held) <= _COMMON:
            for a, b in combinations(held, 2):
                common[a, b] += contents[a][content]
    for (a, b), size in common.most_common():
        larger = max(sum(contents[a].values()), sum(contents[b].values()))
        if size >= NEAR * larger:
            yield NearLayers(layers=(a, b), common=size, likeness=size / larger)


def _bases(
    stacks: Mapping[str, Sequence[Digest]], contents: Mapping[Digest, _Contents]
) -> Iterator[CommonBase]:
    """Images grouped by what they have in common, those that would save most first."""
    held = {name: _held(stack, contents) for name, stack in stacks.items()}

    def base_of(group: Iterable[str]) -> CommonBase:
        names = sorted(group)
        common = set.intersection(*(set(held[name]) for name in names))
        layers = {digest for name in names for digest in stacks[name]}
        copies = Counter(content for digest in layers for content in contents[digest] if content in common)
        sizes = held[names[0]]
        saved = sum(sizes[content] * (count - 1) for content, count in copies.items())
        return CommonBase(images=tuple(names), size=sum(sizes[content] for content in common), saved=saved)

    found = {name: base_of([name]) for name in stacks}
    for a, b in _alike(held):
        one, other = found[a], found[b]
        if one is not other:
            # A small image that is like some of them must not leave the others with nothing in common.
            both = base_of({*one.images, *other.images})
            if both.saved >= one.saved + other.saved:
                found.update(dict.fromkeys(both.images, both))
    bases = {one.images: one for one in found.values() if len(one.images) > 1 and one.saved}
    yield from sorted(bases.values(), key=lambda one: (-one.saved, one.images))


def _alike(held: Mapping[str, _Contents]) -> list[tuple[str, str]]:
    """The pairs of images that have much in common, those with most first."""
    found = []
    for a, b in combinations(held, 2):
        small = min(sum(held[a].values()), sum(held[b].values()))
        own = sum(size for content, size in held[a].items() if content in held[b])
        if small and own >= ALIKE * small:
            found.append((own, a, b))
    return [(a, b) for _, a, b in sorted(found, key=lambda each: -each[0])]


def _held(stack: Sequence[Digest], contents: Mapping[Digest, _Contents]) -> _Contents:
    found: dict[bytes, int] = {}
    for digest in stack:
        found.update(contents[digest])
    return found
