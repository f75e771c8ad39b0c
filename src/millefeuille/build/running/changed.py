"""What a RUN changed, as a layer has it: without what is in overlayfs's upper directory for no change.

Overlayfs copies up whatever was opened for writing or touched. BuildKit leaves out what is as before, and of
a directory the time alone is no change. A file of the same size may have been written within the second that
its layer has for its time, so its bytes are compared. Source: containerd/continuity, fs/diff.go.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from millefeuille.annotations import Final
from millefeuille.layers.changes import SAME, Change, Written, changes
from millefeuille.layers.entry import DIRECTORY, FILE, HARDLINK, SYMLINK
from millefeuille.layers.walk import Found, attributes_of

_CHUNK: Final = 1 << 20


def layer_changes(written: Written) -> Iterator[Change]:
    """The changes, for `layers.members.layer_members`. Raises UnreadableChange, OSError."""
    held: list[Change] = []
    covering: Change | None = None
    for change in changes(written):
        while held and not change.path.startswith(held[-1].path + b"/"):
            held.pop()
        if covering is not None and not change.path.startswith(covering.path + b"/"):
            covering = None
        if covering is None and change.covers:
            covering = change  # nothing of the layers below shows in it, not even what is the same
        if covering is not None or change.letter != SAME or not _is_as_before(written, change):
            yield from held
            held.clear()
            yield change
        elif change.entry is not None and change.entry.kind == DIRECTORY:
            held.append(change)  # a layer names the directories above what it changes


def _is_as_before(written: Written, change: Change) -> bool:
    """Whether an entry of the same kind, owner, mode, size and time is the same in all else."""
    entry, found, lower = change.entry, change.found, written.lower
    assert entry is not None and lower is not None
    if entry.kind == HARDLINK:
        return False  # the name may be another file's by now
    if entry.kind == SYMLINK and os.readlink(change.path, dir_fd=lower) != entry.link:
        return False
    access = os.O_RDONLY if entry.kind == FILE else os.O_PATH
    below = os.open(change.path, access | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=lower)
    try:
        if attributes_of(below) != entry.xattrs:
            return False
        if found is None or entry.kind != FILE:
            return True
        if found.status.st_nlink > 1 or _was_linked(below, found):
            return False
        above = found.open()
        try:
            return _equal(above, below)
        finally:
            os.close(above)
    finally:
        os.close(below)


def _was_linked(below: int, found: Found) -> bool:
    """Whether a new file is where another name of a file was: what is only copied up keeps its whole time."""
    return os.fstat(below).st_nlink > 1 and found.status.st_mtime_ns != os.fstat(below).st_mtime_ns


def _equal(one: int, other: int) -> bool:
    while data := os.read(one, _CHUNK):
        if os.read(other, len(data)) != data:
            return False
    return not os.read(other, 1)
