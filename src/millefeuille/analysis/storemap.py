"""The map of a store: what its images have in common, by layer and by content, and what that could save."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

from millefeuille.analysis.batches import Batch, Batches, Repeated, again, counts
from millefeuille.analysis.commonbase import COMMON, CommonBase, common_bases
from millefeuille.analysis.layer import Layer
from millefeuille.annotations import Final
from millefeuille.oci.digest import Digest
from millefeuille.values import dataclass

NEAR: Final = 0.8  # of its bytes two layers have in common that are nearly the same
_FILES: Final = 50  # repeated files that are told of


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
    """A content that several layers hold, and one path of it."""

    file: Repeated
    path: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreMap:
    """What is to be known. `stored` are the bytes of all layers' files, `without_sharing` those that the
    images would take if none had a layer in common, `repeated` those of contents in several layers, besides
    the copies in the layer that has most of them.
    """

    stored: int
    without_sharing: int
    repeated: int
    shared: tuple[SharedLayer, ...]
    near: tuple[NearLayers, ...]
    files: tuple[RepeatedFile, ...]
    bases: tuple[CommonBase, ...]


def store_map(stacks: Mapping[str, Sequence[Digest]], read: Callable[[Digest], Layer]) -> StoreMap:
    """The map of the images with these layers, by their names. `read` gives a layer; no two are held at once.

    Raises what `read` does.
    """
    gathered = Batches()
    sizes: dict[Digest, int] = {}
    for digest in dict.fromkeys(digest for stack in stacks.values() for digest in stack):
        layer = read(digest)
        sizes[digest] = layer.index.content_size
        gathered.add(digest, counts(layer))
    batches = gathered.all()
    return StoreMap(
        stored=sum(sizes.values()),
        without_sharing=sum(sizes[digest] for stack in stacks.values() for digest in set(stack)),
        repeated=sum(batch.size * again(batch.copies) for batch in batches),
        shared=_shared(stacks, sizes), near=tuple(_near(batches)),
        files=tuple(_with_paths(gathered.repeated(_FILES), read)),
        bases=tuple(common_bases(stacks, sizes, batches)),
    )  # fmt: skip


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


def _with_paths(repeated: Sequence[Repeated], read: Callable[[Digest], Layer]) -> Iterator[RepeatedFile]:
    paths: dict[bytes, bytes] = {}
    wanted = {one.content for one in repeated}
    for digest in dict.fromkeys(one.layers[0] for one in repeated):
        layer = read(digest)
        for content, path in zip(layer.index.contents(), layer.paths, strict=True):
            if content in wanted:
                paths.setdefault(content, path)
    for one in repeated:
        yield RepeatedFile(file=one, path=paths[one.content])


def _near(batches: Sequence[Batch]) -> Iterator[NearLayers]:
    """The pairs, the ones with most in common first."""
    sizes: Counter[Digest] = Counter()
    common: Counter[tuple[Digest, Digest]] = Counter()
    for batch in batches:
        for layer, count in batch.copies.items():
            sizes[layer] += batch.size * count
        if len(batch.copies) <= COMMON:
            for (a, in_a), (b, in_b) in combinations(batch.copies.items(), 2):
                common[a, b] += batch.size * min(in_a, in_b)
    for (a, b), size in common.most_common():
        larger = max(sizes[a], sizes[b])
        if size >= NEAR * larger:
            yield NearLayers(layers=(a, b), common=size, likeness=size / larger)
