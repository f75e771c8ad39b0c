"""Users: who keeps an image from being removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from millefeuille.oci.digest import Digest
from millefeuille.store.transaction import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A container made from an image, running or stopped."""

    id: str
    running: bool


class Users(Protocol):
    """Asked within the transaction that removes, so that nobody can become a user meanwhile."""

    def users(self, tx: Transaction, image: Digest) -> Sequence[User]:
        """The containers made from `image`."""


class Nobody:
    """No image is used by anyone."""

    def users(self, tx: Transaction, image: Digest) -> Sequence[User]:
        """None."""
        return ()
