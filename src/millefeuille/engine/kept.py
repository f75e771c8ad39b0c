"""Kept: analyses of images in the store, so that nobody waits for one twice.

    ROOT/analysis/<chain ID>-<key>.{head,full,dive}   JSON behind the blake3 of what it is made from

They can be made again at any time: whatever is wrong with one, it is as if it were not there. The newest are
kept, by count and by size.
"""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Sequence

from blake3 import blake3

from millefeuille import files
from millefeuille.analysis.schema import VERSION, Document
from millefeuille.annotations import Final
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_ids
from millefeuille.plainjson import loads
from millefeuille.store.images import ImageRecord, images, layers_of
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction

_MAXIMUM_FILES: Final = 300
_MAXIMUM_BYTES: Final = 512 << 20
_HASH: Final = 32  # bytes
_ROUND: Final = 1  # one more whenever an analysis says something else of the same image


def kept(
    store: Store, tx: Transaction, record: ImageRecord, name: str, found: tuple[int, str] | None = None
) -> Kept | None:
    """What is kept of an image that is called `name`; None where nothing can be. `found` is its `base_of`."""
    if record.chain is None:
        return None
    base, base_name = found or base_of(tx, tuple(layer.diff_id for layer in layers_of(tx, record.id)))
    key = f"{VERSION}\0{_ROUND}\0{record.id}\0{record.manifest}\0{name}\0{base}\0{base_name}"
    return Kept(store.disk.root, record.chain, key)


def base_of(tx: Transaction, diff_ids: tuple[Digest, ...]) -> tuple[int, str]:
    """How many of the lowest layers are all that another named image has, and its name; (0, "") for none."""
    chains = [str(chain) for chain in chain_ids(diff_ids)][:-1]
    wanted = ",".join("?" * len(chains))
    # Nearly all of them are nobody's: so this is asked once, and not for each.
    rows = tx.execute(f"SELECT DISTINCT chain FROM images WHERE chain IN ({wanted})", tuple(chains))
    for chain in sorted((row[0] for row in rows.fetchall()), key=chains.index, reverse=True):
        for record in images(tx, "chain = ?", (chain,)):
            if record.tags or record.digests:
                digests = [f"{name}@{digest}" for name, digest in record.digests]
                return chains.index(chain) + 1, [*record.tags, *digests][0]
    return 0, ""


class Kept:
    """What is kept about one image: `chain` is that of its layers, `key` all else that it is made from."""

    def __init__(self, root: str, chain: Digest, key: str) -> None:
        self._directory = f"{root}/analysis"
        self._path = f"{self._directory}/{chain.hex}-{blake3(key.encode()).hexdigest()[:16]}"

    def exists(self) -> bool:
        """Whether something is kept."""
        return os.path.exists(f"{self._path}.head") and os.path.exists(f"{self._path}.full")

    def document(self) -> Document | None:
        """The analysis without files."""
        raw = self.get("head")
        if raw is None:
            return None
        found: Document = loads(bytes(raw))
        return found

    def get(self, what: str) -> memoryview | None:
        """A text that was kept, whole; None when it is not there, or not what was written."""
        try:
            with open(f"{self._path}.{what}", "rb") as file:
                # Mapped, because such a file gets its name when it is whole, and is never written again.
                raw = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError):  # an empty file cannot be mapped
            return None
        content = raw[_HASH:]
        return content if blake3(content).digest() == raw[:_HASH] else None

    def put(self, what: str, pieces: Sequence[bytes | memoryview]) -> None:
        """Keep a text, unless the disk has it otherwise."""
        hasher = blake3()
        for piece in pieces:
            hasher.update(piece)
        with contextlib.suppress(OSError):
            files.make_directory(self._directory, 0o700)
            path = f"{self._path}.{what}"
            # Not synced: a file that a crash leaves half-written does not match its hash.
            new = f"{path}.new-{os.getpid()}"
            descriptor = files.create(new, exclusive=False)
            try:
                try:
                    for piece in (hasher.digest(), *pieces):
                        files.write(descriptor, piece)
                finally:
                    os.close(descriptor)
                files.rename(new, path)
            except BaseException:
                files.unlink(new)
                raise
            self._prune()

    def _prune(self) -> None:
        found = []
        with os.scandir(self._directory) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):  # another process prunes too, or renames
                    status = entry.stat()
                    found.append((status.st_mtime_ns, status.st_size, entry.path))
        total = 0
        for place, (_, size, path) in enumerate(sorted(found, reverse=True)):
            total += size
            if place and (place >= _MAXIMUM_FILES or total > _MAXIMUM_BYTES):
                files.unlink(path)
