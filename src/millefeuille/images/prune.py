"""Prune: remove the images nobody needs, and with them whatever lies in the store without an owner."""

from __future__ import annotations

from collections.abc import Callable

from millefeuille.annotations import Final
from millefeuille.images.references import references
from millefeuille.images.remove import Act, ImageConflict, remove_references
from millefeuille.images.users import Users
from millefeuille.store import events, removal, sweep
from millefeuille.store.images import ImageRecord, images
from millefeuille.store.store import Store
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass

_LOOKS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An image that `prune` takes, and why."""

    image: ImageRecord
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What went, or would go. `reclaimed` counts the layers freed; `orphans` the ownerless files; bytes."""

    candidates: tuple[Candidate, ...]
    acts: tuple[Act, ...]
    reclaimed: int
    orphans: int


def prune(
    store: Store,
    users: Users,
    accepts: Callable[[ImageRecord], bool],
    *,
    unused: bool = False,
    dry_run: bool = False,
) -> Pruned:
    """Remove dangling images, with `unused` all that no container uses, that `accepts` lets pass.

    `dry_run` changes nothing, keeps nobody waiting, and needs no store that can be written. Raises as
    `Store.writing` does, then as `Store.rehearsing`.
    """
    if dry_run:
        return _rehearsed(store, users, accepts, unused=unused)
    with store.writing(emergency=True) as tx:
        return _prune(tx, users, accepts, unused=unused)


def _rehearsed(
    store: Store, users: Users, accepts: Callable[[ImageRecord], bool], *, unused: bool
) -> Pruned:
    for _ in range(_LOOKS):
        with store.rehearsing() as tx:
            pruned = _prune(tx, users, accepts, unused=unused)
            # Files without an owner may be those of an image that has come since.
            if not pruned.orphans or not tx.is_outdated():
                break
    return pruned


def _prune(tx: Transaction, users: Users, accepts: Callable[[ImageRecord], bool], *, unused: bool) -> Pruned:
    candidates: list[Candidate] = []
    acts: list[Act] = []
    parents = {row[0] for row in tx.execute("SELECT parent FROM images WHERE parent IS NOT NULL")}
    for image in images(tx):
        reason = _reason(image, is_parent=str(image.id) in parents, unused=unused)
        if not reason or not accepts(image) or not _exists(tx, image):
            continue
        try:
            done = remove_references(tx, image, users)
        except ImageConflict:
            continue
        if done:
            candidates.append(Candidate(image=image, reason=reason))
            acts += done
    removal.drop_unused_indexes(tx)  # the sweep does nothing while another command is at work
    reclaimed = sum(act.size for act in acts)
    events.record(tx, "prune", "", {"reclaimed": str(reclaimed)})
    return Pruned(
        candidates=tuple(candidates),
        acts=tuple(acts),
        reclaimed=reclaimed,
        orphans=sweep.orphans(tx),
    )


def _exists(tx: Transaction, image: ImageRecord) -> bool:
    """False for a parent that went with its child."""
    return tx.execute("SELECT 1 FROM images WHERE id = ?", (str(image.id),)).fetchone() is not None


def _reason(image: ImageRecord, *, is_parent: bool, unused: bool) -> str:
    if is_parent and (not unused or not references(image)):
        return ""
    if not image.tags:
        return "dangling"
    return "not used by any container" if unused else ""
