"""Ingest: a layer on its way into the store.

    ingest/<digest>            the compressed bytes so far; locked by whoever fetches them
    ingest/<digest>.layer/     the uncompressed tar and its index, made in the same pass

    lock → bytes already there, read again → bytes from outside → digest, size and diff ID checked
         → index written → fsync all three → rename the layer → rename the blob → (caller) fsync directories

A blob that came uncompressed is the tar itself: it is written once, and `layer.tar` is a second name for it.

A layer's directory also holds an empty file per blob it was made from, named `from-<digest>`: the one place
where that fact survives the database.

An ingest that is cut off leaves its bytes for the next one, in this process or another. One that is wrong
leaves nothing. The bytes kept are hashed again, because a hash in progress cannot be stored.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator

from blake3 import blake3

from millefeuille import files
from millefeuille.errors import Corrupt, MilleError
from millefeuille.layers.compression import sniff
from millefeuille.layers.ingest import CHUNK, WRITEBACK, LayerContent, LayerPass
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.store.blobs import CorruptBlob
from millefeuille.store.disk import Disk
from millefeuille.store.images import LayerRecord
from millefeuille.store.layers import measure
from millefeuille.store.naming import rename_new

_POLL = 0.05  # seconds between two looks at another process's lock


class LayerIngest:
    """One layer being stored. `feed` the blob from `offset` on, then `commit`; made by `ingest` or `making`.

    `blob` is None for a layer that is made here: nobody knows its digest yet.
    """

    def __init__(self, disk: Disk, blob: Descriptor | None, path: str, descriptor: int) -> None:
        self._disk = disk
        self._blob = blob
        self._file = descriptor
        self._path = path
        self._directory = f"{self._path}.layer"
        files.remove_tree(self._directory)
        files.make_directory(self._directory)
        self._tar: int | None = None  # the tar beside a compressed blob
        self._pass: LayerPass | None = None
        self._waiting = bytearray()  # less than a chunk
        self._is_over = False
        self._flushed = 0  # bytes of the blob that are on their way to the disk
        self.offset = 0

    @property
    def kept(self) -> int:
        """How many bytes an earlier ingest kept, before `resume` has read them."""
        return os.fstat(self._file).st_size

    def resume(self) -> int:
        """Read again what an earlier ingest kept; the offset, in bytes, from which to go on."""
        size = os.fstat(self._file).st_size
        if self._blob is None or size > self._blob.size:
            files.truncate(self._file, 0)
            size = 0
        os.lseek(self._file, 0, os.SEEK_SET)
        while self.offset < size and (chunk := os.read(self._file, CHUNK)):
            self._read(chunk)
            self.offset += len(chunk)
        return self.offset

    def feed(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes of the blob. Raises CorruptBlob, BrokenStream, Bomb, TarError, OSError."""
        self.offset += len(chunk)
        if self._blob is not None and self.offset > self._blob.size:
            self.discard()
            raise CorruptBlob(f"layer {self._blob.digest}: longer than the {self._blob.size} bytes promised")
        files.write(self._file, chunk)
        self._read(chunk)
        if self._pass is not None and self.offset - self._flushed >= WRITEBACK:
            self._pass.begin_writeback(self._file, self._flushed, self.offset - self._flushed)
            self._flushed = self.offset

    def commit(
        self,
        diff_id: Digest | None,
        *,
        replace: bool = False,
        claim: Callable[[LayerContent], object] | None = None,
    ) -> tuple[LayerRecord, LayerContent]:
        """Check everything and give blob and layer their names. The caller syncs the directories.

        `diff_id` is what the image config promises, None when nobody did. A layer that is there already,
        made from another blob, is kept, and its record is the one given; one that is damaged, and any with
        `replace`, makes room for this one. `claim` is told what was found before anything has a name.
        Raises CorruptBlob, what `feed` raises, and what `claim` raises; nothing is kept then.
        """
        try:
            content = self._hand_on(CHUNK).finish()
            blob = self._checked(content, diff_id)
            if claim is not None:
                claim(content)
        except Exception:
            self.discard()
            raise
        record = self._write_index(content, blob)
        files.change_mode(self._file, 0o400)
        files.sync(self._file)
        self._keep_tar()
        files.sync_directory(self._directory)
        with _placing(self._disk):
            record = self._place(record, blob, replace=replace)
        # Last, because with the partial's name goes the right to it, and to the directory beside it.
        files.rename(self._path, self._disk.blob(blob))  # a damaged one goes with that
        self._is_over = True
        return record, content

    def discard(self) -> None:
        """Leave nothing behind: what was read is wrong."""
        self._abort()
        if not self._is_over:
            files.remove_tree(self._directory)
            files.unlink(self._path)
            self._is_over = True  # what has these names from now on is another process's

    def close(self) -> None:
        """Stop; what was fetched is kept for the next ingest, what was made from it is not."""
        self._abort()
        if self._tar is not None:
            os.close(self._tar)
        if not self._is_over and os.path.isdir(self._directory):
            files.remove_tree(self._directory)

    def _read(self, chunk: bytes | memoryview) -> None:
        """Hand the bytes on in whole chunks: what the index says must not depend on how they came."""
        if not self._waiting and len(chunk) == CHUNK:
            self._give(self._begun(bytes(chunk[:4])), chunk)
            return
        self._waiting += chunk
        while len(self._waiting) >= CHUNK:
            self._hand_on(CHUNK)

    def _hand_on(self, size: int) -> LayerPass:
        piece = bytes(memoryview(self._waiting)[:size])
        del self._waiting[:size]
        layer_pass = self._begun(piece[:4])
        self._give(layer_pass, piece)
        return layer_pass

    def _give(self, layer_pass: LayerPass, chunk: bytes | memoryview) -> None:
        try:
            layer_pass.feed(chunk)
        except MilleError:
            self.discard()  # or else the next ingest would begin with the same bytes
            raise

    def _begun(self, head: bytes) -> LayerPass:
        """The pass; `head` begins the blob when it has not begun yet."""
        if self._pass is None:
            if sniff(head) != "none":
                self._tar = files.create(f"{self._directory}/layer.tar")
            algorithm = self._blob.digest.algorithm if self._blob is not None else "sha256"
            self._pass = LayerPass(self._tar, algorithm=algorithm)
        return self._pass

    def _abort(self) -> None:
        if self._pass is not None:
            self._pass.abort()

    def _keep_tar(self) -> None:
        if self._tar is None:
            files.link(self._path, f"{self._directory}/layer.tar")
        else:
            files.change_mode(self._tar, 0o400)
            files.sync(self._tar)

    def _checked(self, content: LayerContent, diff_id: Digest | None) -> Digest:
        """Hold what was read against what was promised; the blob's digest."""
        blob = self._blob
        if blob is None:
            return content.digest
        if content.size != blob.size:
            raise CorruptBlob(
                f"layer {blob.digest}: {content.size} bytes instead of the {blob.size} promised"
            )
        if content.digest != blob.digest:
            raise CorruptBlob(f"layer {blob.digest}: the bytes received have digest {content.digest}")
        if diff_id is not None and content.diff_id != diff_id:
            raise CorruptBlob(
                f"layer {blob.digest}: holds {content.diff_id}, but the image config says {diff_id}"
            )
        return blob.digest

    def _place(self, record: LayerRecord, blob: Digest, *, replace: bool) -> LayerRecord:
        """Give the layer its name, or join the one that has it; the record of what is there then."""
        layer = self._disk.layer(record.diff_id)
        while not rename_new(self._directory, layer):
            kept = None if replace else self._kept(record.diff_id)
            if kept is not None:
                self._join(layer, blob)
                return kept
            trash = f"{self._disk.trash}/{os.urandom(16).hex()}"
            files.rename(layer, trash)
            files.remove_tree(trash)
        return record

    def _kept(self, diff_id: Digest) -> LayerRecord | None:
        """The layer made from another blob, when it is whole."""
        try:
            return measure(self._disk, diff_id)
        except (OSError, Corrupt):
            return None

    def _join(self, layer: str, blob: Digest) -> None:
        if self._tar is None:
            files.rename(f"{self._directory}/layer.tar", f"{layer}/layer.tar")  # one file, not two
        files.remove_tree(self._directory)
        note_origin(layer, blob)
        files.sync_directory(layer)

    def _write_index(self, content: LayerContent, blob: Digest) -> LayerRecord:
        descriptor = files.create(f"{self._directory}/layer.index", 0o400)
        try:
            files.write(descriptor, content.index)
            files.sync(descriptor)
        finally:
            os.close(descriptor)
        note_origin(self._directory, blob)
        return layer_record(content)



@contextlib.contextmanager
def _placing(disk: Disk) -> Iterator[None]:
    """One process at a time: two blobs with one diff ID must agree whose layer stays."""
    descriptor = os.open(disk.layers, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        files.lock(descriptor, f"the layers of {disk.root}")
        yield
    finally:
        files.release(descriptor)


def note_origin(layer: str, blob: Digest) -> None:
    """Remember, in the layer's directory `layer`, that it was made from `blob`."""
    descriptor = files.create(f"{layer}/from-{blob.algorithm}-{blob.hex}", 0o400, exclusive=False)
    os.close(descriptor)


def layer_record(content: LayerContent) -> LayerRecord:
    """What the database keeps of a pass over a layer."""
    return LayerRecord(
        diff_id=content.diff_id, tar_size=content.tar_size, content_size=content.content_size,
        entries=content.entries, index_size=len(content.index), index_hash=blake3(content.index).hexdigest(),
    )  # fmt: skip


@contextlib.contextmanager
def ingest(disk: Disk, blob: Descriptor, waiting: Callable[[], None]) -> Iterator[LayerIngest]:
    """Hold the right to fetch a blob. While another process has it, `waiting` is called before each pause;
    what it raises ends the wait.

    Look again whether the blob exists when the block begins: that process may have stored it.
    """
    descriptor = _lock(disk.partial(blob.digest), waiting)
    ingest: LayerIngest | None = None
    try:
        ingest = LayerIngest(disk, blob, disk.partial(blob.digest), descriptor)
        yield ingest
    finally:
        if ingest is not None:
            ingest.close()
        files.release(descriptor)


@contextlib.contextmanager
def making(disk: Disk) -> Iterator[LayerIngest]:
    """Store a layer that is made here, as an uncompressed blob; hold a lease meanwhile.

    What is not committed is gone when the block ends.
    """
    path = f"{disk.ingest}/made-{os.urandom(16).hex()}"
    descriptor = files.create(path)
    try:
        layer = LayerIngest(disk, None, path, descriptor)
        try:
            yield layer
        finally:
            layer.close()
            layer.discard()
    finally:
        files.release(descriptor)


def _lock(path: str, waiting: Callable[[], None]) -> int:
    """Open and lock a partial blob; the lock must be on the file that has the name still."""
    while True:
        descriptor = _open(path, waiting)
        try:
            while not files.try_lock(descriptor):
                waiting()
                time.sleep(_POLL)
        except BaseException:
            os.close(descriptor)
            raise
        if _is_named(descriptor, path):
            return descriptor
        files.release(descriptor)


def _open(path: str, waiting: Callable[[], None]) -> int:
    while True:
        try:
            return files.create(path, exclusive=False)
        except PermissionError:
            if not _revive(path):
                waiting()
                time.sleep(_POLL)


def _revive(path: str) -> bool:
    """Make a partial blob writable that is complete and read-only, but whose process died before it could
    rename it; False while that process lives. Raises PermissionError for another user's file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return True
    try:
        if not files.try_lock(descriptor):
            return False
        if _is_named(descriptor, path):
            files.change_mode(descriptor, 0o600)
        return True
    finally:
        files.release(descriptor)


def _is_named(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
