"""What was written to a root, opened: the upper directory, and the tree it stands on beside it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from millefeuille.layers.changes import Written
from millefeuille.snapshots import attach
from millefeuille.snapshots.snapshotter import Snapshotter, close_all, let_go


@contextlib.contextmanager
def opened(snapshots: Snapshotter, key: str) -> Iterator[Written]:
    """What was written, and may go on to be. Raises NotFound, Conflict, MountFailed, MountDenied."""
    changes = snapshots.changes(key)
    lower = None
    upper = os.open(changes.upper, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if changes.lower is not None:
            try:
                lower = attach.opened(changes.lower)
            finally:
                close_all(changes.lower)
        yield Written(upper=upper, lower=lower, marks=changes.marks)
    finally:
        os.close(upper)
        if lower is not None:
            os.close(lower)
        if changes.lower is not None:
            let_go(changes.lower)
