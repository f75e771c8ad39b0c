"""Variants: the platforms of one name, and how a single one of them goes."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.errors import Invalid
from millefeuille.images.content import PlatformMissing, held_platforms
from millefeuille.images.remove import Act, check_removable
from millefeuille.images.users import Users
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform, rank
from millefeuille.oci.reference import Reference
from millefeuille.store import events, names, removal
from millefeuille.store.transaction import Transaction


class NotForced(Invalid):
    """Removing a platform touches every name that holds it."""


def remove_variants(
    tx: Transaction, text: str, platforms: Sequence[Platform], users: Users, *, force: bool
) -> tuple[Act, ...]:
    """Remove the images that `text` has for `platforms`, from all names; the names keep their other images.

    What another image needs stays. Raises NotForced, NoSuchImage, PlatformMissing, ImageConflict.
    """
    if not force:
        # The dash is Docker's.
        raise NotForced(
            "Content will be removed from all images referencing this variant. "
            "Use \u2014-force to force delete."
        )
    acts: list[Act] = []
    for image in dict.fromkeys(_find(tx, text, platform) for platform in platforms):
        check_removable(tx, image, users, force=True)
        acts += _take_from_names(tx, image)
        removed = removal.remove_image(tx, image)
        events.record(tx, "delete", str(image), {"name": str(image)})
        acts.append(Act(deleted=str(image)))
        acts += [Act(deleted=str(chain), size=size) for chain, size in removed.chains]
    removal.drop_unused_indexes(tx)
    return tuple(acts)


def _find(tx: Transaction, text: str, platform: Platform) -> Digest:
    found = names.find(tx, text)
    for held, image in held_platforms(tx, text, found):
        if rank(held, platform, strict=True) is not None:
            return image
    raise PlatformMissing(
        f"image with reference {text} was found but does not provide the specified platform ({platform})"
    )


def _take_from_names(tx: Transaction, image: Digest) -> list[Act]:
    """Let each name point to another of its platforms; a name that has none is gone."""
    acts = []
    key = str(image)
    labels = names.find(tx, key).labels
    rows = tx.execute("SELECT DISTINCT name FROM name_platforms WHERE image = ? ORDER BY name", (key,))
    for (name,) in rows.fetchall():
        other = tx.execute(
            "SELECT image FROM name_platforms WHERE name = ? AND image <> ? ORDER BY platform LIMIT 1",
            (name, key),
        ).fetchone()
        if other is None:
            names.unassign(tx, name)
            events.record(tx, "untag", key, {**labels, "name": key})
            acts.append(Act(untagged=Reference.parse(name).familiar))
        else:
            tx.execute("UPDATE names SET image = ? WHERE name = ? AND image = ?", (other[0], name, key))
            tx.changed_names = True
    return acts
