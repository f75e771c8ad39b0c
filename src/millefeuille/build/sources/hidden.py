"""Hidden: what of a directory a build does not see, for those who are given the directory itself."""

from __future__ import annotations

import os
from collections.abc import Iterator

from millefeuille.build.sources.ignore import Ignore


def hidden(root: str, path: str, ignore: Ignore) -> Iterator[bytes]:
    """The paths at or below `path` of `root` that `ignore` leaves out with all that is in them.

    They have no slash before them. Directories that cannot be read hide nothing.
    """
    start = path.strip("/")
    top = f"{root}/{start}" if start else root
    for directory, names, others in os.walk(top):
        below = os.path.relpath(directory, root)
        prefix = "" if below == "." else f"{below}/"
        kept = []
        for name in sorted(names):
            if not ignore.leaves_out(prefix + name) or ignore.may_keep_below(prefix + name):
                kept.append(name)
            else:
                yield os.fsencode(prefix + name)
        names[:] = kept
        yield from (os.fsencode(prefix + name) for name in sorted(others) if ignore.leaves_out(prefix + name))
