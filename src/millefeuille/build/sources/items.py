"""Items: what a scan found as the items of a match, and as what their identity is made of."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final, Protocol, overload

from millefeuille.build.sources.identity import Entries
from millefeuille.build.sources.scan import Listing
from millefeuille.build.sources.source import Item
from millefeuille.build.sources.walk import Walk
from millefeuille.layers.entry import (
    BLOCK,
    CHARACTER,
    DIRECTORY,
    FIFO,
    FILE,
    HARDLINK,
    NO_XATTRS,
    SYMLINK,
)
from millefeuille.layers.tarheader import Metadata

_KINDS: Final = {
    stat.S_IFREG: FILE, stat.S_IFDIR: DIRECTORY, stat.S_IFLNK: SYMLINK, stat.S_IFCHR: CHARACTER,
    stat.S_IFBLK: BLOCK, stat.S_IFIFO: FIFO,
}  # fmt: skip


class Known(Protocol):
    """What knows the contents and attributes of what was listed: the source."""

    def facts(self, listing: Listing) -> list[int]:
        """Numbers for all that was listed, -1 for what has neither content nor attributes."""

    def cached_contents(self, numbers: Sequence[int]) -> list[bytes]:
        """The contents' digests by these numbers."""

    def cached_xattrs(self) -> Mapping[int, Mapping[bytes, bytes]]:
        """The attributes, of what has some, by these numbers."""

    def met(self, listing: Listing) -> None:
        """Somebody may ask for the content of what was listed."""


class Items(Sequence[Item]):
    """The items of a match, made when somebody looks at one: where all is cached nobody does."""

    def __init__(self, known: Known, listing: Listing, start: int, walk: Walk | None = None) -> None:
        """`start` is where in the paths those begin that the identity sees; `walk` gave the listing."""
        self.walk = walk
        self._known = known
        self._listing = listing
        self._start = start

    def __len__(self) -> int:
        return len(self._listing.paths)

    @overload
    def __getitem__(self, at: int) -> Item: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Item]: ...

    def __getitem__(self, at: int | slice) -> Item | Sequence[Item]:
        return self._all[at]

    def __iter__(self) -> Iterator[Item]:
        return iter(self._all)

    def entries(self) -> Entries:
        """The entries as their identity sees them."""
        listing, start, numbers = self._listing, self._start, self._numbers
        kinds, first = self._kinds, self._first
        encoded = _encoded(listing.paths)
        attributed = self._known.cached_xattrs()
        return Entries(
            paths=[path[start:] for path in encoded] if start else encoded,
            kinds=kinds,
            modes=self._modes,
            contents=self._known.cached_contents(
                [number for number, kind in zip(numbers, kinds, strict=True) if kind == FILE]
            ),
            links={n: os.fsencode(target) for n, target in listing.targets.items()}
            | {n: encoded[earlier][start:] for n, earlier in first.items()},
            devices=self._devices,
            xattrs={n: attributed[number] for n, number in enumerate(numbers) if number in attributed}
            if attributed
            else {},
        )

    def mtimes(self) -> list[int]:
        """The times of the items, in seconds."""
        return [status.st_mtime_ns // 1_000_000_000 for status in self._listing.statuses]

    @cached_property
    def _numbers(self) -> list[int]:
        return self._known.facts(self._listing)

    @cached_property
    def _first(self) -> dict[int, int]:
        """The numbers of further names of a file, each with that of its first."""
        met: dict[tuple[int, int], int] = {}
        found: dict[int, int] = {}
        for n, status in enumerate(self._listing.statuses):
            if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
                earlier = met.setdefault((status.st_dev, status.st_ino), n)
                if earlier != n:
                    found[n] = earlier
        return found

    @cached_property
    def _kinds(self) -> bytes:
        kinds = bytearray([_KINDS[status.st_mode & 0o170000] for status in self._listing.statuses])
        for n in self._first:
            kinds[n] = HARDLINK
        return bytes(kinds)

    @cached_property
    def _modes(self) -> list[int]:
        modes = [status.st_mode & 0o7777 for status in self._listing.statuses]
        for n in self._listing.targets:
            modes[n] = 0o777  # a link's own mode means nothing, and differs between file systems
        return modes

    @cached_property
    def _devices(self) -> dict[int, tuple[int, int]]:
        statuses = self._listing.statuses
        return {
            n: (os.major(statuses[n].st_rdev), os.minor(statuses[n].st_rdev))
            for n, kind in enumerate(self._kinds)
            if kind in (CHARACTER, BLOCK)
        }

    @cached_property
    def _all(self) -> list[Item]:
        listing, encoded = self._listing, _encoded(self._listing.paths)
        attributed = self._known.cached_xattrs()
        self._known.met(listing)
        found: list[Item] = []
        rows = zip(encoded, self._kinds, self._modes, listing.statuses, self._numbers, strict=True)
        for n, (path, kind, mode, status, number) in enumerate(rows):
            seconds, nanoseconds = divmod(status.st_mtime_ns, 1_000_000_000)
            link = b""
            if kind == SYMLINK:
                link = os.fsencode(listing.targets[n])
            elif kind == HARDLINK:
                link = encoded[self._first[n]]
            entry = Metadata(
                path=path, kind=kind, mode=mode, size=status.st_size if kind == FILE else 0,
                mtime=seconds, nsec=nanoseconds, link=link, device=self._devices.get(n, (0, 0)),
                xattrs=attributed.get(number, NO_XATTRS) if kind != HARDLINK else NO_XATTRS,
            )  # fmt: skip
            found.append(Item(path, entry))
        return found


def _encoded(paths: list[str]) -> list[bytes]:
    return os.fsencode("\0".join(paths)).split(b"\0") if paths else []
