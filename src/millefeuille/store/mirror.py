"""The mirror: index.json says in the OCI image layout's own words what the database knows of images.

Other tools read the store in place through it, and the database is rebuilt from it when lost. It is
written after the COMMIT it mirrors, carries that commit's sequence number, and is written again by the next
command when a crash left it behind.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

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

    Raises as `written_beside` does.
    """
    if temporary := written_beside(execute, path):
        files.put_in_place(temporary, path)


def written_beside(execute: Execute, path: str) -> str:
    """Write beside index.json what it is to be (`files.put_in_place`), for there may be no room for it; under
    which name, "" when it is the mirror of what `execute` reads. Needs db.lock.

    Raises OSError, and MirrorAhead: the database has been lost or put back, and must not wipe what the mirror
    knows.
    """
    number = sequence(execute)
    before = written(path)
    if before > number:
        raise MirrorAhead(
            f"{path}: newer than the database",
            advice="Rebuild the database with `mille system check --repair`.",
        )
    return files.write_beside(path, render(execute, number)) if before != number else ""


def render(execute: Execute, number: int) -> bytes:
    """The bytes of index.json: every image, tagged or not, as its original manifest or index."""
    known = _Known(execute)
    head: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "annotations": {SEQUENCE: str(number)},
        "manifests": [*_named(execute, known), *_nameless(execute, known)],
    }
    return dumps(head, separators=(",", ":")).encode()


_NAMED = """
SELECT name, target, names.image, tagged_ns, m.media_type, m.size, x.media_type, x.size
FROM names LEFT JOIN manifests m ON m.digest = target LEFT JOIN indexes x ON x.digest = target ORDER BY name
"""


def _named(execute: Execute, known: _Known) -> Iterator[dict[str, Any]]:
    for name, target, image, tagged, *kinds in execute(_NAMED).fetchall():
        media_type, size = (kinds[0], kinds[1]) if kinds[0] else (kinds[2], kinds[3])
        images = [image, *sorted(other for other in known.platforms.get(name, ()) if other != image)]
        annotations = {REF_NAME: name, IMAGE: ",".join(images), TAGGED: str(tagged)}
        yield _entry(target, media_type, size, annotations | known.facts(target, images))


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


def _nameless(execute: Execute, known: _Known) -> Iterator[dict[str, Any]]:
    rows = execute(_NAMELESS).fetchall() + execute(_UNNAMED_INDEXES).fetchall()
    for digest, image, media_type, size in rows:
        yield _entry(digest, media_type, size, {IMAGE: image} | known.facts(digest, [image]))


class _Known:
    """What is known of all images, each table read once: the mirror of many costs little more than of one."""

    def __init__(self, execute: Execute) -> None:
        self.platforms: dict[str, list[str]] = {}  # the images of a name
        for name, image in execute("SELECT name, image FROM name_platforms"):
            self.platforms.setdefault(name, []).append(image)
        self._offers: dict[str, list[tuple[str, str]]] = {}  # repositories and images of a digest
        for digest, *offer in execute("SELECT digest, repository, image FROM repo_digests ORDER BY 2, 3"):
            self._offers.setdefault(digest, []).append((offer[0], offer[1]))
        rows = execute("SELECT id, parent, manifest FROM images")
        self._origins: dict[str, tuple[str | None, str]] = {row[0]: (row[1], row[2]) for row in rows}
        several = execute("SELECT image FROM manifests GROUP BY image HAVING count(*) > 1")
        self._several: frozenset[str] = frozenset(row[0] for row in several)

    def facts(self, target: str, images: Sequence[str]) -> dict[str, str]:
        """What else is to be told of an entry's images; its parent is the first one's."""
        image = images[0]
        if image not in self._origins:
            raise broken("the database", f"image {image} has a name, and is not recorded")
        parent, first = self._origins[image]
        repositories = ",".join(self._repositories(target, images))
        facts = {DIGESTS: repositories, PARENT: parent or "", FIRST: first if image in self._several else ""}
        return {key: value for key, value in facts.items() if value}

    def _repositories(self, target: str, images: Sequence[str]) -> Iterator[str]:
        offered: dict[str, list[str]] = {}
        for repository, image in self._offers.get(target, ()):
            if image in images:
                offered.setdefault(repository, []).append(image)
        for repository, held in offered.items():
            if len(held) == len(images):
                yield repository
            else:
                yield from (f"{repository}@{one}" for one in held)


def _entry(digest: str, media_type: str, size: int, annotations: dict[str, str]) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": size, "annotations": annotations}
