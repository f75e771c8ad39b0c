"""StackedSnapshotter: overlayfs over whatever shows a chain; the drivers differ in that alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from millefeuille.annotations import Final
from millefeuille.oci.digest import Digest
from millefeuille.snapshots.roots import Roots, adopt
from millefeuille.snapshots.snapshotter import Changes, Marks, Mount, Option, Usage
from millefeuille.values import dataclass

# What was written must be readable without overlayfs: no file is to be kept as a reference to another.
_PLAIN: Final[tuple[Option, ...]] = (("redirect_dir", "nofollow"), ("index", "off"), ("metacopy", "off"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowers:
    """Directories that show a chain, laid over each other, the topmost first.

    `descriptors` are theirs, the receiver's to close; so are `holds`, see Mount. The topmost has the owner,
    mode and time of the chain's root.
    """

    descriptors: tuple[int, ...]
    holds: tuple[int, ...] = ()

    def close(self) -> None:
        """Close them all."""
        for descriptor in (*self.descriptors, *self.holds):
            os.close(descriptor)


class StackedSnapshotter:
    """A Snapshotter under `directory`, which overlayfs must accept for its upper layer.

    `lowers` shows a chain. It raises NotFound for a chain nobody knows, and what its driver may raise.
    `release` is what `release_idle` does; for `lasting` see Roots.
    """

    def __init__(
        self,
        directory: str,
        lowers: Callable[[Digest], Lowers],
        *,
        marks: Marks = "trusted",
        release: Callable[[], list[str]] = list,
        lasting: bool = True,
    ) -> None:
        self._roots = Roots(directory, lasting=lasting)
        self._lowers = lowers
        self._marks: Marks = marks
        self._release = release
        self._options = (*_PLAIN, ("userxattr", None)) if marks == "user" else _PLAIN

    def prepare(self, key: str, parent: Digest | None) -> tuple[Mount, ...]:
        """See Snapshotter."""
        return self._make(key, parent, writable=True)

    def view(self, key: str, parent: Digest) -> tuple[Mount, ...]:
        """See Snapshotter."""
        return self._make(key, parent, writable=False)

    def mounts(self, key: str) -> tuple[Mount, ...]:
        """See Snapshotter."""
        parent = self._roots.parent(key)
        return self._mounts(key, self._lowers(parent) if parent else None)

    def changes(self, key: str) -> Changes:
        """See Snapshotter."""
        upper, parent = self._roots.written(key), self._roots.parent(key)
        lower = (self._read_only(self._lowers(parent)),) if parent else None
        return Changes(upper=upper, marks=self._marks, lower=lower)

    def commit(self, key: str, chain: Digest) -> None:
        """See Snapshotter. The chain is made ready from its layers, which hold all that was written."""
        self._roots.written(key)
        self._lowers(chain).close()

    def usage(self, key: str) -> Usage:
        """See Snapshotter."""
        return self._roots.usage(key)

    def remove(self, key: str) -> None:
        """See Snapshotter."""
        self._roots.remove(key)

    def release_idle(self) -> list[str]:
        """See Snapshotter."""
        return self._release()

    def __iter__(self) -> Iterator[str]:
        return iter(self._roots)

    def _make(self, key: str, parent: Digest | None, *, writable: bool) -> tuple[Mount, ...]:
        self._roots.make(key, parent, writable=writable)
        try:
            lowers = self._lowers(parent) if parent else None
            try:
                if writable and lowers is not None:
                    adopt(self._roots.written(key), lowers.descriptors[0])
                return self._mounts(key, lowers)
            except BaseException:
                if lowers is not None:
                    lowers.close()
                raise
        except BaseException:
            self._roots.remove(key)
            raise

    def _mounts(self, key: str, lowers: Lowers | None) -> tuple[Mount, ...]:
        path = self._roots.path(key)
        if not self._roots.is_writable(key):
            empty = Mount(type="bind", source=f"{path}/empty", read_only=True)
            return (self._read_only(lowers) if lowers else empty,)
        below: tuple[Option, ...] = (("lowerdir+", f"{path}/empty"),)
        if lowers is not None:
            below = tuple(("lowerdir+", descriptor) for descriptor in lowers.descriptors)
        options = (*below, ("upperdir", f"{path}/upper"), ("workdir", f"{path}/work"), *self._options)
        holds = lowers.holds if lowers is not None else ()
        return (Mount(type="overlay", source="overlay", options=options, holds=holds),)

    def _read_only(self, lowers: Lowers) -> Mount:
        if len(lowers.descriptors) == 1:  # overlayfs refuses to show a single directory
            return Mount(type="bind", source=lowers.descriptors[0], read_only=True, holds=lowers.holds)
        options = (*(("lowerdir+", descriptor) for descriptor in lowers.descriptors), *self._options)
        return Mount(type="overlay", source="overlay", options=options, read_only=True, holds=lowers.holds)
