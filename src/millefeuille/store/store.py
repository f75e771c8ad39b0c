"""Store: the parts of one store on one disk, to be handed to the verbs."""

from __future__ import annotations

from contextlib import AbstractContextManager

from millefeuille import files
from millefeuille.store import transaction
from millefeuille.store.blobs import Blobs
from millefeuille.store.disk import Disk
from millefeuille.store.transaction import Rehearsal, Transaction


class Store:
    """One store. Making this value touches nothing; `create` makes the tree on the disk."""

    def __init__(self, root: str) -> None:
        self.disk = Disk(root)
        self.blobs = Blobs(self.disk)

    def create(self) -> None:
        """Make the store where it is missing, and its database. Raises NotAStore, OSError."""
        with files.explained(f"the store {self.disk.root}", root=self.disk.root):
            self.disk.create()

    def exists(self) -> bool:
        """True when the root holds a store. Raises StoreDenied, OSError when that cannot be seen."""
        return self.disk.exists()

    def writing(self, *, emergency: bool = False) -> AbstractContextManager[Transaction]:
        """A transaction that changes things; see millefeuille.store.transaction."""
        return transaction.writing(self.disk, emergency=emergency)

    def together(self, *, emergency: bool = False) -> AbstractContextManager[None]:
        """Several transactions that follow each other, with one writing of index.json at the end."""
        return transaction.together(self.disk, emergency=emergency)

    def reading(self) -> AbstractContextManager[Transaction]:
        """A transaction that looks."""
        return transaction.reading(self.disk)

    def rehearsing(self) -> AbstractContextManager[Rehearsal]:
        """A transaction that changes a copy, and nothing in the store."""
        return transaction.rehearsing(self.disk)
