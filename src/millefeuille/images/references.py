"""The references of one image: its tags and its repository digests, and Docker's questions about them."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.store import names
from millefeuille.store.images import ImageRecord
from millefeuille.store.transaction import Transaction


def references(image: ImageRecord) -> tuple[Reference, ...]:
    """Tags first, then digests, each sorted."""
    tags = tuple(Reference.parse(tag) for tag in image.tags)
    return tags + tuple(Reference.parse(repository).pinned(digest) for repository, digest in image.digests)


def is_single(found: Sequence[Reference]) -> bool:
    """One reference; or at most one tag, and digests that are all of its repository (Docker's rule)."""
    if len(found) <= 1:
        return len(found) == 1
    tags = [reference for reference in found if reference.digest is None]
    if len(tags) > 1:
        return False
    repositories = {reference.name for reference in found if reference.digest is not None}
    return repositories == {(tags or found)[0].name}


def remove_reference(tx: Transaction, reference: Reference, image: Digest) -> bool:
    """Forget one tag or digest of an image; False when the name stays, for the image of another platform."""
    tx.changed_names = True
    if reference.digest is not None:
        tx.execute(
            "DELETE FROM repo_digests WHERE repository = ? AND digest = ? AND image = ?",
            (reference.name, str(reference.digest), str(image)),
        )
        return True
    name, others = str(reference), other_platforms(tx, reference, image)
    if not others:
        names.unassign(tx, name)
        return True
    tx.execute("DELETE FROM name_platforms WHERE name = ? AND image = ?", (name, str(image)))
    tx.execute("UPDATE names SET image = ? WHERE name = ? AND image = ?", (str(others[0]), name, str(image)))
    return False


def other_platforms(tx: Transaction, reference: Reference, image: Digest) -> tuple[Digest, ...]:
    """The images that a tag or digest holds beside `image`, for other platforms."""
    if reference.digest is not None:
        query = "SELECT image FROM repo_digests WHERE repository = ? AND digest = ? ORDER BY image"
        rows = tx.execute(query, (reference.name, str(reference.digest))).fetchall()
    else:
        query = "SELECT image FROM name_platforms WHERE name = ? ORDER BY platform"
        rows = tx.execute(query, (str(reference),)).fetchall()
    return tuple(dict.fromkeys(held for row in rows if (held := Digest.parse(row[0])) != image))
