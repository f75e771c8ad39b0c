"""Remove: Docker's rules on what may go, in Docker's order and words.

Everything happens in the caller's one transaction: the checks, the names, and the rows of the files to be
unlinked. A conflict raised here rolls all of it back.
"""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.errors import Conflict, Invalid
from millefeuille.images.references import is_single, other_platforms, references, remove_reference
from millefeuille.images.users import User, Users
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.store import events, names, removal
from millefeuille.store.images import ImageRecord, images
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass


class ImageConflict(Conflict):
    """The image must stay. `used`: because a container uses it."""

    used = False


class BlankName(Invalid):
    """No name at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One line of what was done: a reference untagged, or an image or chain deleted (`size` in bytes)."""

    untagged: str = ""
    deleted: str = ""
    size: int = 0


def remove(
    tx: Transaction, text: str, users: Users, *, force: bool = False, prune_parents: bool = True
) -> tuple[Act, ...]:
    """Remove what `text` means: a name, or an image by its ID. Raises NoSuchImage, ImageConflict, Invalid.

    Source: Docker's image removal, as the command line reference describes it and 20.10 behaves.
    """
    if not text.strip():
        raise BlankName("image name cannot be blank")
    image = names.find(tx, text)
    deletion = _Deletion(tx, users, force=force, prune_parents=prune_parents)
    if names.is_id(text, image.id):
        deletion.by_id(image)
    else:
        deletion.by_name(image, text, whole=True)
    removal.drop_unused_indexes(tx)
    return tuple(deletion.acts)


def remove_references(tx: Transaction, image: ImageRecord, users: Users) -> tuple[Act, ...]:
    """Remove an image with all its references as `prune` does: unforced. Indexes that were only its stay for
    the caller to drop. Raises ImageConflict.
    """
    deletion = _Deletion(tx, users, force=False, prune_parents=True)
    if not references(image):
        deletion.by_id(image)
    if deletion.first_user(image.id) is None:
        for reference in references(image):
            # A tag takes the digests of its repository with it, and the last one the image.
            current = next(images(tx, "id = ?", (str(image.id),)), None)
            if current is not None and reference in references(current):
                deletion.by_name(current, str(reference))
    return tuple(deletion.acts)


class _Deletion:
    def __init__(self, tx: Transaction, users: Users, *, force: bool, prune_parents: bool) -> None:
        self.acts: list[Act] = []
        self._tx = tx
        self._users = users
        self._force = force
        self._prune_parents = prune_parents

    def by_name(self, image: ImageRecord, text: str, *, whole: bool = False) -> None:
        """Remove a name from its image; `whole`, from those of its other platforms too."""
        removed = Reference.parse(text).tagged()
        if removed.digest is not None:  # a tag beside it says nothing
            removed = removed.pinned(removed.digest)
        others = other_platforms(self._tx, removed, image.id) if whole else ()
        if not self._force:
            for identifier in (image.id, *others):
                self._check_last_name(identifier, text)
        for other in others:
            remove_reference(self._tx, removed, other)
        self._untag(removed, image)
        for identifier in (image.id, *others):
            self._leave(removed, identifier)

    def _check_last_name(self, identifier: Digest, text: str) -> None:
        """Raises ImageConflict if somebody uses the image and `text` is all that names it."""
        user = self.first_user(identifier)
        record = next(images(self._tx, "id = ?", (str(identifier),)))
        if user is None or not is_single(references(record)):
            return
        how = "cannot be forced" if user.mounted else "must force"
        who = f"a mount at {user.mounted}" if user.mounted else f"container {user.id[:12]}"
        raise _used(
            f'conflict: unable to remove repository reference "{text}" ({how}) - '
            f"{who} is using its referenced image {identifier.short}"
        )

    def _leave(self, removed: Reference, identifier: Digest) -> None:
        """Let an image go that has lost the name `removed`, if nothing else names it."""
        image = next(images(self._tx, "id = ?", (str(identifier),)), None)
        if image is None:  # it was the parent of one that went
            return
        rest = references(image)
        same = [other for other in rest if other.name == removed.name]
        if removed.digest is None and all(other.digest is not None for other in same):
            for other in same:
                self._untag(other, image, event=False)  # Docker tells of the tag alone.
            rest = tuple(other for other in rest if other not in same)
        if not rest:
            self._delete(image.id, force=self._force, quiet=True)

    def by_id(self, image: ImageRecord) -> None:
        found = references(image)
        if is_single(found):
            self._check(image.id, force=self._force, by_reference=False)
            for reference in found:
                self._untag(reference, image)
        self._delete(image.id, force=self._force, quiet=False)

    def first_user(self, image: Digest) -> User | None:
        users = self._users.users(self._tx, image)
        return users[0] if users else None

    def _untag(self, reference: Reference, image: ImageRecord, *, event: bool = True) -> None:
        act = Act(untagged=reference.familiar)
        if remove_reference(self._tx, reference, image.id) and act not in self.acts:
            self.acts.append(act)
        if event:
            name = str(image.id)
            events.record(self._tx, "untag", name, {**image.labels, "name": name})

    def _delete(self, image: Digest, *, force: bool, quiet: bool) -> None:
        """Delete one image, then its parents as far as nothing holds them."""
        try:
            self._check(image, force=force)
        except ImageConflict as conflict:
            if quiet and (conflict.used or not self._is_dangling(image)):
                return
            raise
        record = next(images(self._tx, "id = ?", (str(image),)))
        for reference in references(record):
            self._untag(reference, record)
        removed = removal.remove_image(self._tx, image)
        events.record(self._tx, "delete", str(image), {"name": str(image)})
        self.acts.append(Act(deleted=str(image)))
        self.acts += [
            Act(deleted=str(chain), size=size) for chain, size in removed.chains
        ]  # fmt: skip
        parent = record.parent
        if self._prune_parents and parent is not None and names.lookup(self._tx, str(parent)) is not None:
            self._delete(parent, force=False, quiet=True)

    def _check(self, image: Digest, *, force: bool, by_reference: bool = True) -> None:
        check_removable(self._tx, image, self._users, force=force, by_reference=by_reference)

    def _is_dangling(self, image: Digest) -> bool:
        record = next(images(self._tx, "id = ?", (str(image),)))
        return not references(record) and not _children(self._tx, image)


def check_removable(
    tx: Transaction, image: Digest, users: Users, *, force: bool, by_reference: bool = True
) -> None:
    """Docker's four questions, hard ones first; `force` skips the others. Raises ImageConflict."""
    found = users.users(tx, image)
    if _children(tx, image):
        raise _conflict(image, "cannot", "image has dependent child images")
    for user in found:
        if user.mounted:
            raise _conflict(image, "cannot", f"image is mounted at {user.mounted}", used=True)
        if user.running:
            raise _conflict(
                image, "cannot", f"image is being used by running container {user.id[:12]}", used=True
            )
    if force:
        return
    if by_reference and references(next(images(tx, "id = ?", (str(image),)))):
        raise _conflict(image, "must", "image is referenced in multiple repositories")
    for user in found:
        raise _conflict(image, "must", f"image is being used by stopped container {user.id[:12]}", used=True)


def _children(tx: Transaction, image: Digest) -> Sequence[str]:
    return [row[0] for row in tx.execute("SELECT id FROM images WHERE parent = ?", (str(image),))]


def _conflict(image: Digest, how: str, reason: str, *, used: bool = False) -> ImageConflict:
    error = ImageConflict(f"conflict: unable to delete {image.short} ({how} be forced) - {reason}")
    error.used = used
    return error


def _used(message: str) -> ImageConflict:
    error = ImageConflict(message)
    error.used = True
    return error
