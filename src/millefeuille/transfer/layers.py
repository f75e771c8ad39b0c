"""Layers into the store, several at a time, each fetched by one process only."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from millefeuille import files
from millefeuille.errors import Corrupt, Invalid, MilleError, NotFound
from millefeuille.layers import heap
from millefeuille.layers.ingest import CHUNK
from millefeuille.layers.naming import naming
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.progress import (
    LayerAdvanced,
    LayerDone,
    LayerFound,
    LayerVerifying,
    LayerWaiting,
    Progress,
    Warned,
)
from millefeuille.store import layers
from millefeuille.store.blobs import Blobs
from millefeuille.store.images import LayerRecord
from millefeuille.store.ingest import LayerIngest, ingest
from millefeuille.store.store import Store
from millefeuille.transfer.source import Bytes, ByteStream, ImageSource

# Layers at once: three as Docker, but no more than there are processors; each keeps one busy.
PARALLEL = max(2, min(3, os.cpu_count() or 2))
_WORTH_COLLECTING = 8 << 20  # bytes of layers; looking through all objects for less costs more than it frees


class Stopped(MilleError):
    """Another layer of the same image failed; never shown."""


class ForeignLayer(NotFound):
    """A layer that its registry need not hold, and does not."""


class LayerFetch:
    """Brings the layers of one image in. `known` is what the database said when they were claimed.

    `again` is asked in the place of `source` once that has given wrong bytes.
    """

    def __init__(
        self, store: Store, source: ImageSource, progress: Progress, known: Mapping[Digest, LayerRecord],
        *, outcome: str = "pulled", again: ImageSource | None = None,
    ) -> None:  # fmt: skip
        self._store = store
        self._source = source
        self._again = again or source
        self._progress = progress
        self._known = known
        self._outcome = outcome
        self._stop = threading.Event()
        self._resumed: set[Digest] = set()  # begun with bytes that an earlier fetch had kept

    def run(self, wanted: Sequence[tuple[Descriptor, Digest]]) -> dict[Digest, LayerRecord]:
        """Every layer in the store, by blob digest. Raises the first failure; what is half-way is kept."""
        found: dict[Digest, LayerRecord] = {}
        missing: dict[Digest, tuple[Descriptor, Digest]] = {}
        promised: dict[Digest, Digest] = {}
        for blob, diff_id in wanted:
            if promised.setdefault(blob.digest, diff_id) != diff_id:
                raise _contradicted(blob.digest, promised[blob.digest], diff_id)
            record = self._present(blob, diff_id)
            if blob.digest not in found and blob.digest not in missing:
                self._progress.report(
                    LayerFound(digest=blob.digest, total=blob.size, exists=record is not None)
                )
            if record is not None:
                found[blob.digest] = record
            else:
                missing[blob.digest] = (blob, diff_id)
        return found | self._fetch_all(missing)

    def _present(self, blob: Descriptor, diff_id: Digest) -> LayerRecord | None:
        record = self._known.get(blob.digest)
        if record is None or not self._store.blobs.holds(blob):
            return None
        if record.diff_id != diff_id:
            raise _contradicted(blob.digest, record.diff_id, diff_id)
        return record if layers.is_intact(self._store.disk, record) else None

    def _fetch_all(self, missing: Mapping[Digest, tuple[Descriptor, Digest]]) -> dict[Digest, LayerRecord]:
        if not missing:
            return {}
        heap.share_arenas()
        with ThreadPoolExecutor(PARALLEL, "layer") as pool:
            jobs = {pool.submit(self._fetch, *layer): digest for digest, layer in missing.items()}
            try:
                done, _ = wait(jobs, return_when=FIRST_EXCEPTION)
            finally:
                self._stop.set()
                for job in jobs:
                    job.cancel()
        if sum(blob.size for blob, _ in missing.values()) >= _WORTH_COLLECTING:
            heap.give_back()
        failures = [job.exception() for job in done if job.exception() is not None]
        for failure in sorted(failures, key=lambda failure: isinstance(failure, Stopped)):
            if isinstance(failure, BaseException):
                raise failure
        return {digest: job.result() for job, digest in jobs.items()}

    def _fetch(self, blob: Descriptor, diff_id: Digest) -> LayerRecord:
        try:
            try:
                here = self._store.blobs.holds(blob)
                return self._obtain(blob, diff_id, self._store.blobs if here else self._source)
            except (Corrupt, Invalid) as error:
                if isinstance(error, Invalid) and blob.digest not in self._resumed:
                    raise
                # The damage may have happened on the way, or to what was kept here: one clean attempt more.
                self._progress.report(Warned(message=f"{error}; trying once more"))
                return self._obtain(blob, diff_id, self._again)
        except OSError as error:
            raise files.explain(error, f"layer {blob.digest}", root=self._store.disk.root) from error

    def _obtain(self, blob: Descriptor, diff_id: Digest, source: Blobs | ImageSource) -> LayerRecord:
        """One layer, from the store's own blob or from outside."""

        told: list[Digest] = []

        def waiting() -> None:
            if self._stop.is_set():
                raise Stopped("stopped")
            if not told:
                told.append(blob.digest)
                self._progress.report(LayerWaiting(digest=blob.digest))

        with naming(blob.digest), ingest(self._store.disk, blob, waiting) as layer:
            stored = self._stored(blob, diff_id)
            if stored is not None:
                layer.discard()  # another process stored it while this one waited for the lock
                record = stored
            else:
                self._stream(layer, blob, source)
                self._progress.report(LayerVerifying(digest=blob.digest))
                record, _ = layer.commit(diff_id)
        self._progress.report(LayerDone(digest=blob.digest, outcome=self._outcome))
        return record

    def _stored(self, blob: Descriptor, diff_id: Digest) -> LayerRecord | None:
        """What is known of a layer that is whole on the disk, whether or not the database knows it."""
        disk = self._store.disk
        if not (self._store.blobs.holds(blob) and layers.is_made_from(disk, diff_id, blob.digest)):
            return None
        try:
            return layers.measure(disk, diff_id)
        except (Corrupt, FileNotFoundError):
            return None

    def _stream(self, layer: LayerIngest, blob: Descriptor, source: Blobs | ImageSource) -> None:
        """Feed what an earlier fetch kept, then what is missing."""
        if layer.kept:
            self._resumed.add(blob.digest)
        resumed = layer.resume()
        if layer.offset >= blob.size:
            return
        if isinstance(source, Blobs):
            self._copy(layer, blob, source.open(blob, offset=resumed), 0)
        else:
            stream = _opened(source, blob, resumed)
            self._copy(layer, blob, stream, resumed - stream.offset)

    def _copy(self, layer: LayerIngest, blob: Descriptor, stream: Bytes, skip: int) -> None:
        """Feed a stream to its end, after dropping the first `skip` bytes; closes it."""
        resumed = layer.offset
        buffer = bytearray(CHUNK)
        try:
            while True:
                if self._stop.is_set():
                    raise Stopped("stopped")
                count = stream.readinto(buffer)
                if not count:
                    break
                chunk = memoryview(buffer)[:count]
                if skip:
                    chunk, skip = chunk[skip:], max(0, skip - count)
                layer.feed(chunk)
                self._progress.report(
                    LayerAdvanced(digest=blob.digest, current=layer.offset, total=blob.size, resumed=resumed)
                )
        finally:
            stream.close()


def _opened(source: ImageSource, blob: Descriptor, offset: int) -> ByteStream:
    try:
        return source.open(blob, offset=offset)
    except NotFound as error:
        if not mediatype.is_foreign(blob.media_type):
            raise
        raise ForeignLayer(
            f"layer {blob.digest}: the registry does not hold it: {error}",
            advice=f"Layers of type {blob.media_type} may lie elsewhere, and other places are not asked.",
        ) from error


def _contradicted(blob: Digest, held: Digest, promised: Digest) -> Corrupt:
    return Corrupt(f"layer {blob}: holds {held}, but the image config says {promised}")
