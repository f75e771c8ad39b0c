"""Users: who keeps an image from being removed."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.annotations import Protocol
from millefeuille.containers.place import Place
from millefeuille.containers.users import users_of
from millefeuille.oci.digest import Digest
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A container made from an image, running or stopped; or a mount of it, then `mounted` says where."""

    id: str
    running: bool
    mounted: str = ""


class Users(Protocol):
    """Asked within the transaction that removes, so that nobody can become a user meanwhile."""

    def users(self, tx: Transaction, image: Digest) -> Sequence[User]:
        """The containers made from `image`, and its mounts."""


class Nobody:
    """No image is used by anyone."""

    def users(self, tx: Transaction, image: Digest) -> Sequence[User]:
        """None."""
        return ()


class Containers:
    """The containers of the store whose files lie at `place`."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def users(self, tx: Transaction, image: Digest) -> Sequence[User]:
        """The containers made from `image`."""
        return tuple(User(id=found.id, running=found.running) for found in users_of(tx, self._place, image))


class Together:
    """The users that several know of."""

    def __init__(self, *known: Users) -> None:
        self._known = known

    def users(self, tx: Transaction, image: Digest) -> Sequence[User]:
        """All of them, in the order of who knows them."""
        return tuple(user for known in self._known for user in known.users(tx, image))
