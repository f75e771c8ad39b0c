"""The mirror: index.json says in the OCI image layout's own words what the database knows of images.

Other tools read the store in place through it, and the database is rebuilt from it when lost. It is
written after the COMMIT it mirrors, carries that commit's sequence number, and is written again by the next
command when a crash left it behind.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from millefeuille import files
from millefeuille.annotations import Any
from millefeuille.errors import Corrupt
from millefeuille.oci.mediatype import OCI_INDEX
from millefeuille.plainjson import dumps
from millefeuille.store.database import broken

REF_NAME = "org.opencontainers.image.ref.name"
SEQUENCE = "io.millefeuille.sequence"
IMAGE = "io.millefeuille.image"  # the image IDs an entry holds, comma-separated, the chosen one first
TAGGED = "io.millefeuille.tagged"  # nanoseconds since 1970
# Repository names, comma-separated; one that offers only some of the images has @ and the image ID behind it.
DIGESTS = "io.millefeuille.repo-digests"
PARENT = "io.millefeuille.parent"
FIRST = "io.millefeuille.manifest"  # the manifest an image came with, where it has come with several
_HEAD = 256  # bytes of index.json in which the sequence stands
_SEQUENCE_MEMBER = f'"{SEQUENCE}":"'.encode()


class MirrorAhead(Corrupt):
    """index.json knows more than the database."""


Execute = Callable[..., Any]


def sequence(execute: Execute) -> int:
    """The number of the last commit that changed names or images."""
    row = execute("SELECT value FROM meta WHERE key = 'sequence'").fetchone()
    return int(row[0]) if row else 0


def written(path: str) -> int:
    """The sequence number that index.json carries; -1 when there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return -1
    try:
        number, end, _ = os.read(descriptor, _HEAD).partition(_SEQUENCE_MEMBER)[2].partition(b'"')
    finally:
        os.close(descriptor)
    return int(number) if end and number.isdigit() else -1


def refresh(execute: Execute, path: str) -> None:
    """Write index.json again when it is not the mirror of what `execute` reads. Needs db.lock.

    Raises MirrorAhead: the database has been lost or put back, and must not wipe what the mirror knows.
    """
    number = sequence(execute)
    before = written(path)
    if before > number:
        raise MirrorAhead(
            f"{path}: newer than the database",
            advice="Rebuild the database with `mille system check --repair`.",
        )
    if before != number:
        files.replace_file(path, render(execute, number), mode=0o600)


def render(execute: Execute, number: int) -> bytes:
    """The bytes of index.json: every image, tagged or not, as its original manifest or index."""
    head: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "annotations": {SEQUENCE: str(number)},
        "manifests": [*_named(execute), *_nameless(execute)],
    }
    return dumps(head, separators=(",", ":")).encode()


_NAMED = """
SELECT name, target, names.image, tagged_ns, m.media_type, m.size, x.media_type, x.size
FROM names LEFT JOIN manifests m ON m.digest = target LEFT JOIN indexes x ON x.digest = target ORDER BY name
"""


def _named(execute: Execute) -> list[dict[str, Any]]:
    entries = []
    for name, target, image, tagged, *kinds in execute(_NAMED).fetchall():
        media_type, size = (kinds[0], kinds[1]) if kinds[0] else (kinds[2], kinds[3])
        others = execute("SELECT image FROM name_platforms WHERE name = ? AND image <> ?", (name, image))
        images = [image, *sorted(row[0] for row in others)]
        annotations = {REF_NAME: name, IMAGE: ",".join(images), TAGGED: str(tagged)}
        entries.append(_entry(target, media_type, size, annotations | _facts(execute, target, *images)))
    return entries


_NAMELESS = """
SELECT digest, image, media_type, size FROM manifests
WHERE digest NOT IN (SELECT target FROM names) AND (
    digest NOT IN (SELECT manifest FROM name_platforms) OR digest IN (SELECT digest FROM repo_digests))
ORDER BY digest
"""
_UNNAMED_INDEXES = """
SELECT r.digest, r.image, x.media_type, x.size FROM repo_digests r JOIN indexes x ON x.digest = r.digest
WHERE NOT EXISTS (
    SELECT 1 FROM names n JOIN name_platforms p USING (name) WHERE n.target = r.digest AND p.image = r.image)
GROUP BY r.digest, r.image ORDER BY r.digest, r.image
"""


def _nameless(execute: Execute) -> list[dict[str, Any]]:
    rows = execute(_NAMELESS).fetchall() + execute(_UNNAMED_INDEXES).fetchall()
    return [
        _entry(digest, media_type, size, {IMAGE: image} | _facts(execute, digest, image))
        for digest, image, media_type, size in rows
    ]


def _facts(execute: Execute, target: str, *images: str) -> dict[str, str]:
    """What else is known of an entry's images; its parent is the first one's."""
    image = images[0]
    repositories = _repositories(execute, target, images)
    facts = {DIGESTS: ",".join(repositories)} if repositories else {}
    row = execute("SELECT parent, manifest FROM images WHERE id = ?", (image,)).fetchone()
    if row is None:
        raise broken("the database", f"image {image} has a name, and is not recorded")
    parent, first = row
    several = execute("SELECT count(*) FROM manifests WHERE image = ?", (image,)).fetchone()[0] > 1
    return facts | ({PARENT: parent} if parent else {}) | ({FIRST: first} if several else {})


def _repositories(execute: Execute, target: str, images: tuple[str, ...]) -> list[str]:
    offered: dict[str, list[str]] = {}
    for repository, image in execute(
        "SELECT repository, image FROM repo_digests WHERE digest = ? ORDER BY 1, 2", (target,)
    ):
        if image in images:
            offered.setdefault(repository, []).append(image)
    return [
        item
        for repository, held in offered.items()
        for item in ([repository] if len(held) == len(images) else [f"{repository}@{one}" for one in held])
    ]


def _entry(digest: str, media_type: str, size: int, annotations: dict[str, str]) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": size, "annotations": annotations}
