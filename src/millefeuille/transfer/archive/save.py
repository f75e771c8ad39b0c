"""Save: images of the store as one tar.

    names → manifests → lease → names again → documents read, checked → blobs/, index.json, manifest.json, …
                                                             layers hashed while they are written

The tar is an OCI layout and a Docker archive at once. Members are sorted, and equal images give equal bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from millefeuille import files
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.store import attachments, events, leases
from millefeuille.store.images import blobs_of
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction
from millefeuille.transfer.archive import listings
from millefeuille.transfer.archive.gather import Gathered, gather
from millefeuille.transfer.archive.output import check_output, complete_file
from millefeuille.transfer.archive.selection import Chosen, select
from millefeuille.transfer.archive.tarwriter import TarWriter, tar_size, writer_to

Write = Callable[[bytes | memoryview], object]


def save_to_file(
    store: Store, texts: Sequence[str], path: str, *, platform: Platform | None = None, oci: bool = False
) -> None:
    """Write the images that `texts` mean to the file `path`, 0600; nothing is there unless all of it is.

    Raises NoSuchImage, NoExportTarget, NothingToSave, BadOutput, BlobNotFound, CorruptBlob, DiskFull,
    ReadOnlyStore.
    """
    check_output(path)

    def run(gathered: Gathered, members: dict[str, bytes | Digest]) -> None:
        with complete_file(path, size_of(gathered, members)) as descriptor:
            write_members(store, gathered, members, writer_to(descriptor))

    _save(store, texts, platform, oci, run)


def save_to_stream(
    store: Store, texts: Sequence[str], write: Write, *, platform: Platform | None = None, oci: bool = False
) -> None:
    """Hand the archive's bytes to `write` in order; a failure leaves it without its end.

    Raises as `save_to_file` does, and what `write` raises.
    """

    def run(gathered: Gathered, members: dict[str, bytes | Digest]) -> None:
        write_members(store, gathered, members, TarWriter(write))

    _save(store, texts, platform, oci, run)


def _save(
    store: Store, texts: Sequence[str], platform: Platform | None, oci: bool,
    run: Callable[[Gathered, dict[str, bytes | Digest]], None],
) -> None:  # fmt: skip
    def look() -> tuple[tuple[Chosen, ...], set[Digest]]:
        with store.reading() as tx:
            chosen = select(tx, texts, platform)
            return chosen, set(_claims(tx, chosen))

    with leases.upheld(store.disk, "save", look, lambda found: found[1]) as ((chosen, _), lease):
        gathered = gather(store.blobs, chosen, oci=oci)
        run(gathered, members_of(gathered, oci=oci))
        saved = {image.config.id for _, _, packed in gathered.entries for image in packed}
        with store.writing() as tx:
            for image in sorted(saved):
                events.record(tx, "save", str(image), {"name": str(image)})
            leases.release(tx, lease)


def _claims(tx: Transaction, chosen: Iterable[Chosen]) -> Iterable[Digest]:
    for entry in chosen:
        yield entry.target.digest
        yield from (part.digest for part in attachments.recorded(tx, entry.target.digest))
        for manifest in entry.manifests:
            yield manifest.digest
            query = "SELECT image FROM manifests WHERE digest = ?"
            yield Digest.parse(tx.execute(query, (str(manifest.digest),)).fetchone()[0])
            for blob in blobs_of(tx, manifest.digest):
                yield blob.digest


def members_of(gathered: Gathered, *, oci: bool) -> dict[str, bytes | Digest]:
    """Every file of the archive by its name, in order: its bytes, or the layer that it is."""
    blobs: dict[str, bytes | Digest] = {
        listings.blob_name(digest): raw for digest, raw in gathered.documents.items()
    }
    blobs |= {listings.blob_name(digest): digest for digest in gathered.layers}
    members: dict[str, bytes | Digest] = dict(sorted(blobs.items()))
    members["index.json"] = listings.index_json(gathered)
    if not oci:
        members["manifest.json"] = listings.manifest_json(gathered)
    members["oci-layout"] = listings.LAYOUT
    names = listings.repositories(gathered)
    if not oci and names is not None:
        members["repositories"] = names
    return members


def size_of(gathered: Gathered, members: dict[str, bytes | Digest]) -> int:
    """The bytes of the archive with these files."""
    sizes = [len(m) if isinstance(m, bytes) else gathered.layers[m].size for m in members.values()]
    return tar_size([*sizes, 0, 0])


def write_members(
    store: Store, gathered: Gathered, members: dict[str, bytes | Digest], writer: TarWriter
) -> None:
    """Write every file of the archive, and its end. Raises BlobNotFound, CorruptBlob, what writing raises."""
    made: set[str] = set()
    for name, content in members.items():
        _make_directories(writer, name, made)
        if isinstance(content, bytes):
            writer.add_bytes(name, content)
        else:
            writer.add_blob(name, gathered.layers[content], store.blobs)
    files.act("archived", "")
    writer.finish()


def _make_directories(writer: TarWriter, name: str, made: set[str]) -> None:
    parts = name.split("/")[:-1]
    for depth in range(1, len(parts) + 1):
        directory = "/".join(parts[:depth])
        if directory not in made:
            made.add(directory)
            writer.add_directory(f"{directory}/")
