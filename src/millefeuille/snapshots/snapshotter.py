"""Snapshotter: chains of layers made mountable; and Mount, which it produces and a runtime consumes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from millefeuille.annotations import Literal, Protocol
from millefeuille.oci.digest import Digest
from millefeuille.values import dataclass

# A mount option's value: a text, a file descriptor, or None for a flag.
Option = tuple[str, str | int | None]

# The namespace of the extended attributes that overlayfs keeps its marks in: "trusted.overlay." and so on.
Marks = Literal["trusted", "user"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One mount, to be made and attached at `target` ("" for the root) by whoever receives it.

    `type` is the file system, or "bind": then `source` is what to attach, a path or a detached mount.
    An option may be a file descriptor; descriptors belong to the mount and close with it.

    `holds` are descriptors that say that what lies below is in use. They are the receiver's to keep open,
    here or in a process that inherits them, as long as what was attached is used; `let_go` closes them.
    """

    type: str
    source: str | int
    target: str = ""
    options: tuple[Option, ...] = ()
    read_only: bool = False
    holds: tuple[int, ...] = ()

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The file descriptors this mount refers to."""
        values = (self.source, *(value for _, value in self.options))
        return tuple(value for value in values if isinstance(value, int))

    def close(self) -> None:
        """Let go of the descriptors, but for `holds`. A mount made from them stays."""
        for descriptor in self.descriptors:
            os.close(descriptor)


def close_all(mounts: Iterable[Mount]) -> None:
    """Close the mounts, each once."""
    for mount in mounts:
        mount.close()


def holds(mounts: Iterable[Mount]) -> tuple[int, ...]:
    """The descriptors to keep while `mounts` are in use."""
    return tuple(descriptor for mount in mounts for descriptor in mount.holds)


def let_go(mounts: Iterable[Mount]) -> None:
    """Say that what was made of `mounts` is not used any more; once."""
    for descriptor in holds(mounts):
        os.close(descriptor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a root takes for itself: `size` in bytes on the disk, and its `inodes`; `content` is what
    its files hold in bytes, as Docker counts.
    """

    size: int
    inodes: int
    content: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What was written to a root, as overlayfs keeps it.

    `upper` is the directory of what was written: a character device 0:0 marks what is gone from below, the
    extended attribute `<marks>.overlay.opaque` a directory that hides the one below. `lower` are mounts of
    what it stands on, read-only, the receiver's as those of `view` are; None for a root on nothing.
    """

    upper: str
    marks: Marks
    lower: tuple[Mount, ...] | None


class Snapshotter(Protocol):
    """Root file systems by *key*, each standing on a chain of layers or on nothing.

    A key is prepared (writable) or viewed (read-only), mounted any number of times, and removed. Mounts are
    values: nothing is mounted until they are made, and one that was made outlives the call that gave it.

        prepare ─► mounts … mounts ─► changes ─► (somebody stores them as a layer) ─► commit ─► remove
        view    ─► mounts … mounts ─────────────────────────────────────────────────────────► remove

    Chains are the store's: a key that stands on one does not keep it there.
    """

    def prepare(self, key: str, parent: Digest | None) -> tuple[Mount, ...]:
        """Make a writable root on top of a chain.

        Raises Conflict when the key is taken, Invalid for one that cannot be a name, NotFound for a chain.
        """

    def view(self, key: str, parent: Digest) -> tuple[Mount, ...]:
        """Make a read-only root of a chain. Raises as `prepare` does."""

    def mounts(self, key: str) -> tuple[Mount, ...]:
        """The mounts of a root made earlier. Raises NotFound."""

    def changes(self, key: str) -> Changes:
        """What was written to a root. Raises NotFound, Conflict for a read-only root."""

    def commit(self, key: str, chain: Digest) -> None:
        """Make `chain` mountable: its top layer, stored by now, holds the changes of this root.

        The root stays as it is. Raises NotFound for the key or the chain, Conflict for a read-only root.
        """

    def usage(self, key: str) -> Usage:
        """What was written to a root takes; nothing, for a read-only one. Raises NotFound."""

    def remove(self, key: str) -> None:
        """Remove a root and what was written to it; that it is gone already is no error.

        What is mounted stays mounted, without what was written.
        """

    def release_idle(self) -> list[str]:
        """Unmount what was kept mounted for chains that nobody uses now; the hex digests of these."""

    def __iter__(self) -> Iterator[str]:
        """The keys there are, in no order."""
