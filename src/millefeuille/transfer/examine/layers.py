"""The indexes of an image's layers, made while the layers stream by; no byte of them is kept."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from millefeuille.annotations import Final
from millefeuille.later import Later
from millefeuille.layers.index import LayerIndex
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.transfer.archive.found import ArchiveSource
from millefeuille.transfer.examine.inplace import in_place
from millefeuille.transfer.examine.promise import hold
from millefeuille.transfer.plan import Plan
from millefeuille.transfer.source import ImageSource
from millefeuille.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent import futures

    from millefeuille.layers import heap, ingest
else:  # which archives do without
    futures = Later("concurrent.futures")
    heap = Later("millefeuille.layers.heap")
    ingest = Later("millefeuille.layers.ingest")

_PARALLEL: Final = 2  # layers at once; each keeps a processor busy


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """An image that was looked at: its config and, lowest first, of each layer the index, digest and size."""

    config: ImageConfig
    layers: tuple[tuple[LayerIndex, Digest, int], ...]


def examine(
    plan: Plan, source: ImageSource, known: Mapping[Digest, LayerIndex] | None = None, *, glance: bool = False
) -> Examined:
    """Read every layer of `plan` once, but for those whose index is `known` by the blob's digest.

    With `glance`, the digests of large contents may be good only for telling the files of this image apart.
    Raises CorruptBlob, BrokenStream, Bomb, TarError, and what the source raises.
    """
    found = dict(known or {})
    wanted = {blob.digest: (blob, diff_id) for blob, diff_id in plan.layers if blob.digest not in found}
    # Large layers first, so that none of them is left to run alone at the end.
    order = sorted(wanted.values(), key=lambda pair: -pair[0].size)
    if order and isinstance(source, ArchiveSource):
        found |= in_place(source, order, glance=glance and not known)
        return _examined(plan, found)
    heap.share_arenas()
    with futures.ThreadPoolExecutor(_PARALLEL) as pool:
        try:
            for digest, index in pool.map(partial(_index, source), order):
                found[digest] = index
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return _examined(plan, found)


def _examined(plan: Plan, found: Mapping[Digest, LayerIndex]) -> Examined:
    return Examined(
        config=plan.config,
        layers=tuple((found[blob.digest], blob.digest, blob.size) for blob, _ in plan.layers),
    )


def _index(source: ImageSource, wanted: tuple[Descriptor, Digest]) -> tuple[Digest, LayerIndex]:
    blob, diff_id = wanted
    stream = source.open(blob)
    reading = ingest.LayerPass(None, algorithm=blob.digest.algorithm)
    buffer = bytearray(ingest.CHUNK)
    try:
        while True:
            count = stream.readinto(buffer)
            if not count:
                break
            reading.feed(memoryview(buffer)[:count])
        content = reading.finish()
    except BaseException:
        reading.abort()
        raise
    finally:
        stream.close()
    hold(blob, diff_id, content.digest, content.size, content.diff_id)
    return blob.digest, LayerIndex(content.index)
