"""Indexing layers where they lie in a file, on several processors.

Reading headers is work in Python, of which one process does no more than one at a time. So the layers are
dealt out to as many processes as there are processors; each but this one is a copy that hands over the
indexes, and ends. Where one layer is larger than all that another process has to do, the other reads the end
of that layer too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial

from millefeuille.annotations import Final
from millefeuille.errors import MilleError
from millefeuille.later import Later
from millefeuille.layers import compression
from millefeuille.layers.columns import Buffer
from millefeuille.layers.glance import settled
from millefeuille.layers.index import LayerIndex
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.transfer.archive.found import ArchiveSource
from millefeuille.transfer.beside import Beside, helpers
from millefeuille.transfer.examine.plainlayer import PlainLayer

_PROCESSES: Final = 8  # at most
_WORTH: Final = 4 << 20  # bytes of layers below which another process is slower
_UNEVEN: Final = 2 << 20  # bytes that one process has more than another, for which a layer is cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.transfer.examine import packedlayer

    Layer = PlainLayer | packedlayer.PackedLayer
else:
    packedlayer = Later("millefeuille.transfer.examine.packedlayer")

Cut = tuple[PlainLayer, int]  # a layer, and where its end begins that another process reads


def in_place(
    source: ArchiveSource, wanted: Sequence[tuple[Descriptor, Digest]], *, glance: bool = False
) -> dict[Digest, LayerIndex]:
    """The index of each wanted layer, by the blob's digest; `wanted` has the largest first.

    With `glance`, contents are told apart within these layers only. Raises CorruptBlob, BrokenStream, Bomb,
    TarError, ShortArchive, BlobNotFound.
    """
    layers = _layers(source, wanted, glance=glance)
    own, *others = _dealt(layers, min(1 + helpers(), _PROCESSES))
    cut = _cut(own, others)
    shares = [(each, cut if each is others[-1] else None) for each in others]
    found: dict[Digest, LayerIndex] = {}
    with contextlib.ExitStack() as stack:
        helping = [stack.enter_context(_Helper(each, end)) for each, end in shares if each or end]
        if cut is not None:
            layer, at = cut
            found[layer.digest] = layer.begin(at, helping[-1].rest)
        for one in own if cut is None else ():
            found[one.digest] = one.index(alone=not helping)
        for helper in helping:
            for one, index in zip(helper.layers, helper.indexes, strict=False):
                # Where the other could not, the layer is read again to know why.
                found[one.digest] = LayerIndex(index) if index else one.index(alone=False)
    return _settled(layers, found)


class _Helper(Beside):
    """A copy of this process that indexes layers, and maybe the end of one more."""

    def __init__(self, layers: Sequence[Layer], cut: Cut | None) -> None:
        self.layers = layers
        super().__init__(partial(_work, layers, cut))

    @cached_property
    def indexes(self) -> Sequence[Buffer]:
        """Of each layer the index, encoded, and of the one that was cut `rest`; empty where it failed."""
        return self.parts() or [b""] * (len(self.layers) + 2)

    def rest(self) -> tuple[Buffer, Buffer]:
        """Of the layer that was cut the digests, and what its end came to."""
        return self.indexes[-2], self.indexes[-1]


def _layers(
    source: ArchiveSource, wanted: Sequence[tuple[Descriptor, Digest]], *, glance: bool
) -> list[Layer]:
    streams = [source.open(blob) for blob, _ in wanted]
    plain = [compression.sniff(stream.read_at(compression.MAGIC_SIZE, 0)) == "none" for stream in streams]
    # What was glanced at can be told only from what was glanced at too.
    glance = glance and all(plain)
    return [
        PlainLayer(stream, *one, glance=glance) if is_plain else packedlayer.PackedLayer(stream, *one)
        for stream, one, is_plain in zip(streams, wanted, plain, strict=True)
    ]


def _settled(layers: Sequence[Layer], found: dict[Digest, LayerIndex]) -> dict[Digest, LayerIndex]:
    glanced = [one for one in layers if isinstance(one, PlainLayer) and one.glance]
    indexes = settled([(found[one.digest], one.read) for one in glanced])
    return found | {one.digest: index for one, index in zip(glanced, indexes, strict=True)}


def _dealt(layers: Sequence[Layer], most: int) -> list[list[Layer]]:
    """The layers in heaps of about the same size, `most` at most, falling; `layers` has the largest first."""
    if _size(layers) < _WORTH:
        return [list(layers)]
    heaps: list[list[Layer]] = [[] for _ in range(most)]
    for one in layers:
        min(heaps, key=_size).append(one)
    # This process keeps the largest layer, and with it the chance to cut it.
    return [heaps[0], *sorted(heaps[1:], key=_size, reverse=True)]


def _size(layers: Sequence[Layer]) -> int:
    return sum(one.size for one in layers)


def _cut(own: Sequence[Layer], others: Sequence[Sequence[Layer]]) -> Cut | None:
    """Where to cut the largest layer, so that the process with the least to do reads its end."""
    if not others or len(own) != 1 or _size(own) - _size(others[-1]) < _UNEVEN:
        return None
    layer = own[0]
    if not isinstance(layer, PlainLayer):
        return None
    at = layer.cut(_size(others[-1]))
    return None if at is None else (layer, at)


def _work(layers: Sequence[Layer], cut: Cut | None) -> Iterator[bytes]:
    """What a helper hands over; nothing for what failed."""
    for one in layers:
        yield _tried(one.encoded)
    if cut is not None:
        layer, at = cut
        yield _tried(layer.digests)
        yield _tried(partial(layer.end, at))


def _tried(make: Callable[[], bytes]) -> bytes:
    try:
        return make()
    except MilleError:
        return b""
