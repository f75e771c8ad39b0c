"""Snapshotter: chains of layers made mountable; and Mount, which it produces and a runtime consumes."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from millefeuille.oci.digest import Digest

# A mount option's value: a text, a file descriptor, or None for a flag.
Option = tuple[str, str | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One mount, to be made and attached at `target` ("" for the root) by whoever receives it.

    `type` is the file system, or "bind": then `source` is what to attach, a path or a detached mount.
    An option may be a file descriptor; descriptors belong to the mount and close with it.
    """

    type: str
    source: str | int
    target: str = ""
    options: tuple[Option, ...] = ()
    read_only: bool = False

    @property
    def descriptors(self) -> tuple[int, ...]:
        """The file descriptors this mount refers to."""
        values = (self.source, *(value for _, value in self.options))
        return tuple(value for value in values if isinstance(value, int))

    def close(self) -> None:
        """Let go of the descriptors. A mount made from them stays."""
        for descriptor in self.descriptors:
            os.close(descriptor)


def close_all(mounts: Iterable[Mount]) -> None:
    """Close the mounts, each once."""
    for mount in mounts:
        mount.close()


class Snapshotter(Protocol):
    """Root file systems by *key*, each standing on a chain of layers or on nothing.

    A key is prepared (writable) or viewed (read-only), mounted any number of times, and removed. Mounts are
    values: nothing is mounted until they are made, and one that was made outlives the call that gave it.
    """

    def prepare(self, key: str, parent: Digest | None) -> tuple[Mount, ...]:
        """Make a writable root on top of a chain. Raises Conflict when the key is taken."""

    def view(self, key: str, parent: Digest) -> tuple[Mount, ...]:
        """Make a read-only root of a chain. Raises Conflict when the key is taken."""

    def mounts(self, key: str) -> tuple[Mount, ...]:
        """The mounts of a root made earlier. Raises NotFound."""

    def remove(self, key: str) -> None:
        """Remove a root and what was written to it; that it is gone already is no error."""
