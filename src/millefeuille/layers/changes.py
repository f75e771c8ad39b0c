"""What was written on top of a tree, read from overlayfs's upper directory alone.

Only the upper directory is walked; what lies below is asked for the names that were met. So the work is
that of the change, however large the image is.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Set

from millefeuille.annotations import Final, NamedTuple
from millefeuille.errors import Unsupported
from millefeuille.layers.entry import CHARACTER, DIRECTORY, FILE
from millefeuille.layers.tarheader import Metadata
from millefeuille.layers.walk import Found, Links, attributes_of, metadata, walk
from millefeuille.values import dataclass

ADDED: Final = "A"
CHANGED: Final = "C"
DELETED: Final = "D"
SAME: Final = ""  # a directory that is there because of what is in it

_CAPABILITY: Final = "security.capability"


class UnreadableChange(Unsupported):
    """Overlayfs keeps something in the upper directory as a reference to what lies below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An upper directory and what it stands on, as descriptors of directories; `lower` None for nothing.

    `marks` is the namespace of overlayfs's own attributes, "trusted" or "user".
    """

    upper: int
    lower: int | None
    marks: str = "trusted"


class Change(NamedTuple):
    """One path that differs, or a directory above one.

    `entry` and `found` are None for what was deleted, and for a socket, which no tar can hold; `found` is
    open until the next change is asked for, and None for directories too. `covers` says that the lower tree
    has a directory there, of which nothing shows, `hides` that this directory is the reason, or that a socket
    is in the place of what is there.
    """

    letter: str
    path: bytes
    entry: Metadata | None = None
    found: Found | None = None
    covers: bool = False
    hides: bool = False


def changes(written: Written, stubs: Set[bytes] = frozenset()) -> Iterator[Change]:
    """The changes, a directory before what is in it, names sorted; every directory of the upper one.

    `stubs` are paths that the engine made as places for mounts: what is empty there is left out, and the
    directories that were only touched for it. The root appears when mode, owner or attributes differ. Raises
    UnreadableChange, OSError.
    """
    return _Changes(written, stubs).run()


def covered(written: Written, path: bytes) -> list[bytes]:
    """The names in a directory of the lower tree, sorted."""
    assert written.lower is not None
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=written.lower)
    try:
        return sorted(os.fsencode(name) for name in os.listdir(descriptor))
    finally:
        os.close(descriptor)


class _Held(NamedTuple):
    """A directory whose fate what is in it decides."""

    change: Change
    below: os.stat_result | None


class _Changes:
    def __init__(self, written: Written, stubs: Set[bytes]) -> None:
        self._written = written
        self._stubs = stubs
        self._opaque = f"{written.marks}.overlay.opaque".encode()
        self._references = {f"{written.marks}.overlay.{name}".encode() for name in ("redirect", "metacopy")}
        self._whiteout = f"{written.marks}.overlay.whiteout".encode()
        self._links = Links()
        # The directories that the lower tree has too, and whether it shows through there.
        self._both = {b"": True} if written.lower is not None else {}
        self._touched: set[bytes] = set()  # directories that were written to for a stub
        self._held: list[_Held] = []

    def run(self) -> Iterator[Change]:
        yield from self._root()
        for found in walk(self._written.upper):
            while self._held and not found.path.startswith(self._held[-1].change.path + b"/"):
                yield from self._released()
            change, below = self._look(found)
            if change is None:
                continue
            if change.entry is not None and change.entry.kind == DIRECTORY:
                self._held.append(_Held(change, below))
                continue
            yield from self._all_held()
            yield change
        while self._held:
            yield from self._released()

    def _root(self) -> Iterator[Change]:
        if self._written.lower is None:
            return
        ours, below = os.fstat(self._written.upper), os.fstat(self._written.lower)
        kept = attributes_of(self._written.upper)
        if _differ(ours, below) or kept != attributes_of(self._written.lower):
            seconds, nanoseconds = divmod(ours.st_mtime_ns, 1_000_000_000)
            entry = Metadata(
                path=b"", kind=DIRECTORY, mode=stat.S_IMODE(ours.st_mode), uid=ours.st_uid, gid=ours.st_gid,
                mtime=seconds, nsec=nanoseconds, xattrs=kept,
            )  # fmt: skip
            yield Change(CHANGED, b"", entry)

    def _look(self, found: Found) -> tuple[Change | None, os.stat_result | None]:
        """What one entry of the upper directory says, and what lies below it."""
        path = found.path
        parent = path.rpartition(b"/")[0]
        below = self._below(path) if parent in self._both else None
        names = found.attributes()
        if self._is_whiteout(found, names):
            gone = below is not None and self._both[parent]
            return (Change(DELETED, path) if gone else None), below
        if self._references.intersection(names):
            raise UnreadableChange(f"{os.fsdecode(path)}: kept by overlayfs as a reference to another file")
        if self._is_stub(found):
            self._touched.add(parent)
            return None, None
        entry = metadata(found, self._links)
        if entry is None:
            hides = below is not None and self._both[parent]
            return Change(ADDED if below is None else CHANGED, path, hides=hides), below
        if entry.kind != DIRECTORY:
            return Change(self._letter(found, below), path, entry, found), below
        letter = self._letter(found, below)
        if below is None or not stat.S_ISDIR(below.st_mode):
            return Change(letter, path, entry), below
        opaque = self._opaque in names and found.attribute(self._opaque) == b"y"
        shown = self._both[parent]
        self._both[path] = shown and not opaque
        return Change(letter, path, entry, covers=not self._both[path], hides=shown and opaque), below

    def _below(self, path: bytes) -> os.stat_result | None:
        """What the lower tree has under a path whose parents are directories in it."""
        try:
            status = os.stat(path, dir_fd=self._written.lower, follow_symlinks=False)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
                return None
            raise
        # A single layer's directory may show its whiteouts.
        return None if stat.S_ISCHR(status.st_mode) and not status.st_rdev else status

    def _is_whiteout(self, found: Found, names: list[bytes]) -> bool:
        if found.kind == CHARACTER:
            return found.status.st_rdev == 0
        return found.kind == FILE and not found.status.st_size and self._whiteout in names

    def _is_stub(self, found: Found) -> bool:
        return (
            found.path in self._stubs
            and found.kind != DIRECTORY
            and (found.kind != FILE or not found.status.st_size)
        )

    def _letter(self, found: Found, below: os.stat_result | None) -> str:
        if below is None:
            return ADDED
        if _differ(found.status, below):
            return CHANGED
        path = b"/proc/self/fd/%d/%s" % (self._written.lower or 0, found.path)
        try:
            known: bytes | None = os.getxattr(path, _CAPABILITY, follow_symlinks=False)
        except OSError:
            known = None
        return SAME if found.attribute(_CAPABILITY.encode()) == known else CHANGED

    def _all_held(self) -> Iterator[Change]:
        yield from (held.change for held in self._held)
        self._held.clear()

    def _released(self) -> Iterator[Change]:
        """The walk leaves a directory in which there was nothing to tell."""
        change, below = self._held.pop()
        made = change.path in self._stubs or (change.path in self._touched and below is None)
        touched = change.letter == SAME and not change.covers and change.path in self._touched
        if (made and change.letter == ADDED) or (touched and self._has_attributes_of_lower(change)):
            self._touched.add(change.path.rpartition(b"/")[0])
            return
        yield from self._all_held()
        yield change


    def _has_attributes_of_lower(self, change: Change) -> bool:
        assert change.entry is not None
        flags = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
        below = os.open(change.path, flags, dir_fd=self._written.lower)
        try:
            return change.entry.xattrs == attributes_of(below)
        finally:
            os.close(below)


def _differ(one: os.stat_result, other: os.stat_result) -> bool:
    """Whether two entries differ, as Docker sees it: the size and time of a directory do not count."""
    if (one.st_mode, one.st_uid, one.st_gid, one.st_rdev) != (
        other.st_mode, other.st_uid, other.st_gid, other.st_rdev,
    ):  # fmt: skip
        return True
    if stat.S_ISDIR(one.st_mode):
        return False
    return one.st_size != other.st_size or not _same_time(one.st_mtime_ns, other.st_mtime_ns)


def _same_time(one: int, other: int) -> bool:
    """Whether two times are the same, where one of them may have lost its fraction in a tar."""
    seconds, rest = divmod(one, 1_000_000_000)
    other_seconds, other_rest = divmod(other, 1_000_000_000)
    return seconds == other_seconds and (rest == other_rest or not rest or not other_rest)
