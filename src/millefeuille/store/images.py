"""Images in the database: what is known of each without opening a blob."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from millefeuille.oci.digest import Digest, InvalidDigest
from millefeuille.plainjson import loads
from millefeuille.store.database import broken
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRecord:
    """One uncompressed layer on the disk; sizes in bytes. `index_hash` is blake3, in hex."""

    diff_id: Digest
    tar_size: int
    content_size: int
    entries: int
    index_size: int
    index_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerBlob:
    """A compressed layer and the diff ID of what is in it."""

    digest: Digest
    size: int
    media_type: str
    diff_id: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecord:
    """One image. `size` is what its layers hold in regular files, in bytes; `created` as written."""

    id: Digest
    manifest: Digest
    chain: Digest | None
    parent: Digest | None
    created: str
    created_ns: int
    size: int
    platform: str
    labels: Mapping[str, str] = field(hash=False)
    config_size: int
    added_ns: int
    tags: tuple[str, ...] = ()
    digests: tuple[tuple[str, Digest], ...] = ()
    tagged_ns: int = field(default=0)


COLUMNS = "id, manifest, chain, parent, created, created_ns, size, platform, labels, config_size, added_ns"


def layer(tx: Transaction, diff_id: Digest) -> LayerRecord | None:
    """What is recorded of an uncompressed layer."""
    row = tx.execute("SELECT * FROM layers WHERE diff_id = ?", (str(diff_id),)).fetchone()
    return _layer(row) if row else None


def layers(tx: Transaction) -> Iterator[LayerRecord]:
    """What is recorded of every uncompressed layer."""
    return map(_layer, tx.execute("SELECT * FROM layers").fetchall())


def layer_of_blob(tx: Transaction, digest: Digest) -> LayerRecord | None:
    """The uncompressed layer that is known to be in a blob."""
    row = tx.execute(
        "SELECT layers.* FROM layer_blobs b JOIN layers USING (diff_id) WHERE b.digest = ?", (str(digest),)
    ).fetchone()
    return _layer(row) if row else None


def _layer(row: tuple[str, int, int, int, int, str]) -> LayerRecord:
    return LayerRecord(
        diff_id=Digest.parse(row[0]), tar_size=row[1], content_size=row[2],
        entries=row[3], index_size=row[4], index_hash=row[5],
    )  # fmt: skip


def images(tx: Transaction, where: str = "", values: tuple[object, ...] = ()) -> Iterator[ImageRecord]:
    """Images with their tags and digests, newest first; `where` is an SQL condition on the table."""
    condition = f"WHERE {where}" if where else ""
    # The names of one image are not looked for among those of all.
    only = f"WHERE {{}} IN (SELECT id FROM images {condition})" if where else ""
    tags: dict[str, list[str]] = {}
    tagged: dict[str, int] = {}
    for name, image, at in tx.execute(
        f"SELECT name, image, tagged_ns FROM names {only.format('image')}"
        " UNION SELECT p.name, p.image, tagged_ns FROM name_platforms p JOIN names USING (name)"
        f" {only.format('p.image')} ORDER BY 1",
        values * 2,
    ):
        tags.setdefault(image, []).append(name)
        tagged[image] = max(tagged.get(image, 0), at)
    digests: dict[str, list[tuple[str, Digest]]] = {}
    query = f"SELECT * FROM repo_digests {only.format('image')} ORDER BY 1, 2"
    for repository, digest, image in tx.execute(query, values):
        digests.setdefault(image, []).append((repository, Digest.parse(digest)))
    rows = tx.execute(f"SELECT {COLUMNS} FROM images {condition} ORDER BY created_ns DESC, id", values)
    for row in rows.fetchall():
        key = row[0]
        try:
            found = _image(row, tuple(tags.get(key, ())), tuple(digests.get(key, ())), tagged.get(key, 0))
        except (InvalidDigest, ValueError, TypeError) as error:
            raise broken(tx.disk.database, f"image {key}: {error}") from error
        yield found


def _image(
    row: tuple[str, ...], tags: tuple[str, ...], digests: tuple[tuple[str, Digest], ...], tagged: int
) -> ImageRecord:
    identifier, manifest, chain, parent, created, created_ns, size, platform, labels, config_size, added = row
    return ImageRecord(
        id=Digest.parse(identifier), manifest=Digest.parse(manifest),
        chain=Digest.parse(chain) if chain else None, parent=Digest.parse(parent) if parent else None,
        created=created, created_ns=int(created_ns), size=int(size), platform=platform,
        labels=loads(labels), config_size=int(config_size), added_ns=int(added),
        tags=tags, digests=digests, tagged_ns=tagged,
    )  # fmt: skip


def layers_of(tx: Transaction, image: Digest) -> tuple[LayerRecord, ...]:
    """The uncompressed layers of an image, lowest first. Raises BrokenDatabase."""
    rows = tx.execute(
        "SELECT layers.* FROM manifest_layers l JOIN images i ON i.manifest = l.manifest"
        " LEFT JOIN layers ON layers.diff_id = l.diff_id WHERE i.id = ? ORDER BY position",
        (str(image),),
    ).fetchall()
    if any(row[0] is None for row in rows):
        raise broken(tx.disk.database, f"image {image.short} has a layer that is not recorded")
    return tuple(_layer(row) for row in rows)


def blobs_of(tx: Transaction, manifest: Digest) -> tuple[LayerBlob, ...]:
    """The compressed layers of a manifest, lowest first."""
    rows = tx.execute(
        "SELECT digest, size, media_type, diff_id FROM manifest_layers WHERE manifest = ? ORDER BY position",
        (str(manifest),),
    )
    return tuple(
        LayerBlob(digest=Digest.parse(d), size=size, media_type=kind, diff_id=Digest.parse(diff_id))
        for d, size, kind, diff_id in rows.fetchall()
    )
