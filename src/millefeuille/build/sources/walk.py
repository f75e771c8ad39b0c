"""Walk: what is below a directory, told without walking where all that was found last time is there still.

A directory whose stat is the same has the same names in it, and a file or link whose stat is the same is the
same. So one stat for each path that is remembered, in order, says whether the listing holds, and whether
anything in it changed; if nothing did, even its identity is what it was. What changed within one tick of the
clock before it was listed is not remembered (see `statcache`), nor what lies on a file system that others may
change: stats of those are remembered by the kernel itself for a while, names are asked for.

One file for each directory that is copied; one that is broken, or gone, is none.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
import time
from array import array
from functools import partial
from operator import attrgetter

from blake3 import blake3

from millefeuille import kernel
from millefeuille.annotations import Final
from millefeuille.build.sources import memory
from millefeuille.build.sources.ignore import Ignore
from millefeuille.build.sources.reading import CLOCK
from millefeuille.build.sources.scan import Listing, scan
from millefeuille.build.sources.sieve import Sieve
from millefeuille.build.sources.statcache import MAXIMUM, tick
from millefeuille.errors import MilleError
from millefeuille.layers import columns
from millefeuille.layers.columns import Buffer
from millefeuille.layers.schema import Strings, strings

FEWEST: Final = 256  # entries; fewer are found as fast as they are looked up
_VERSION: Final = b"walk 1"
_KEY: Final = attrgetter("st_ino", "st_ctime_ns", "st_mtime_ns", "st_size", "st_dev")
_WIDTH: Final = 5
_ITEM: Final = 8  # bytes
# What has times of its own for all directories, and belongs to this machine: ext, XFS, Btrfs, Bcachefs, F2FS,
# ZFS, tmpfs, overlayfs. Source: statfs(2), linux/magic.h.
_OWN: Final = frozenset(
    {0xEF53, 0x58465342, 0x9123683E, 0xCA451A4E, 0xF2F52010, 0x2FC12FC1, 0x01021994, 0x794C7630}
)
_IDENTITIES: Final = {True: b"with", False: b"without"}


class Walk:
    """What one walk found; `identities` are those known of it, with modes (True) and without."""

    def __init__(
        self, path: str, listing: Listing, top: os.stat_result, started: int, identities: dict[bool, str]
    ) -> None:
        """`path` is where it is kept, "" for nowhere; `top` the stat of the directory; `started` when it was
        begun, by the clock that stamps files.
        """
        self.listing = listing
        self.identities = identities
        self._path = path
        self._top = top
        self._started = started

    def remember(self, identity: str, *, mode: bool) -> None:
        """Keep the listing with its identity; best effort."""
        self.identities[mode] = identity
        statuses = [self._top, *self.listing.statuses]
        if not (self._path and FEWEST <= len(statuses) <= MAXIMUM) or _may_change_unseen(
            statuses, self._started
        ):
            return
        memory.put(self._path, self._packed(statuses))

    def _packed(self, statuses: list[os.stat_result]) -> bytes:
        targets = self.listing.targets
        sections: list[tuple[bytes, Buffer]] = [
            (b"version", _VERSION),
            (b"paths", os.fsencode("\0".join(self.listing.paths))),
            (b"stats", _keys(statuses)),
            (b"types", _types(statuses)),
            (b"linkat", array("q", targets).tobytes()),
            *strings(b"link", [os.fsencode(target) for target in targets.values()]),
            *((_IDENTITIES[mode], text.encode()) for mode, text in self.identities.items()),
        ]
        return columns.pack(sections)


def walked(root: int, base: str, ignore: Ignore, place: str) -> Walk:
    """What is below the directory `base` of the tree `root`, where `ignore` has no exceptions.

    `place` begins the names of the files in which listings of this tree are kept.
    Raises OSError, Unreadable, ScanFailed.
    """
    if kernel.file_system(root) not in _OWN:
        place = ""
    patterns = "\0".join((base, *ignore.patterns))
    path = f"{place}.{blake3(os.fsencode(patterns)).hexdigest(16)}" if place else ""
    started = time.clock_gettime_ns(CLOCK)
    with contextlib.suppress(OSError, MilleError, KeyError, ValueError):
        with open(path, "rb") as file:
            known = _recalled(root, base, file.read())
        if known is not None:
            return Walk(path, known[0], known[1], started, known[2])
    top = os.stat(base or ".", dir_fd=root, follow_symlinks=False)
    return Walk(path, scan(root, base, Sieve(ignore, base)), top, started, {})


def _recalled(root: int, base: str, data: bytes) -> tuple[Listing, os.stat_result, dict[bool, str]] | None:
    """The listing, its base and its identities, as far as they hold; None where something came or went."""
    columns.verify(data)
    sections = columns.unpack(data)
    if bytes(sections[b"version"]) != _VERSION:
        return None
    paths = os.fsdecode(bytes(sections[b"paths"])).split("\0")
    look = partial(os.stat, dir_fd=root, follow_symlinks=False)
    statuses = list(map(look, (base or ".", *paths)))
    before, now = bytes(sections[b"stats"]), _keys(statuses)
    if before != now and not _same_names(before, now, bytes(sections[b"types"]), statuses):
        return None
    listing = Listing()
    top, listing.paths, listing.statuses = statuses[0], paths, statuses[1:]
    numbers = columns.column(sections[b"linkat"], "q")
    links = Strings(sections, b"link")
    listing.targets = {n: os.fsdecode(target) for n, target in zip(numbers, links, strict=True)}
    identities = {
        mode: bytes(sections[name]).decode() for mode, name in _IDENTITIES.items() if name in sections
    }
    return listing, top, identities if before == now else {}


def _same_names(before: bytes, now: bytes, types: bytes, statuses: list[os.stat_result]) -> bool:
    """Whether nothing changed but files: they are what they were, and all directories and links the same."""
    if types != _types(statuses):
        return False
    size = _WIDTH * _ITEM
    return all(
        kind == _REGULAR or before[at : at + size] == now[at : at + size]
        for kind, at in zip(types, range(0, len(before), size), strict=True)
    )


_REGULAR: Final = stat.S_IFREG >> 12


def _types(statuses: list[os.stat_result]) -> bytes:
    return bytes([status.st_mode >> 12 for status in statuses])


def _keys(statuses: list[os.stat_result]) -> bytes:
    """What is compared of each, one behind the other; for this machine alone."""
    return array("Q", itertools.chain.from_iterable(map(_KEY, statuses))).tobytes()


def _may_change_unseen(statuses: list[os.stat_result], started: int) -> bool:
    """Whether something was changed so late that it may be once more without its stat telling, or lies on
    another file system than the rest.
    """
    times = map(attrgetter("st_ctime_ns"), statuses)
    return len(set(map(attrgetter("st_dev"), statuses))) > 1 or any(at + tick(at) >= started for at in times)
