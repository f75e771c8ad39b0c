"""Trees of files for tests, and what a source says of them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.reading import CLOCK
from millefeuille.build.sources.statcache import tick


def make(root: Path, *names: str) -> Path:
    """Make files that hold their names; `a/` is a directory, `a -> b` a symlink, `a = b` a hard link."""
    root.mkdir(exist_ok=True)
    for name in names:
        path, _, target = name.partition(" -> ")
        path, _, other = path.partition(" = ")
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        if target:
            (root / path).symlink_to(target)
        elif other:
            os.link(root / other, root / path)
        elif path.endswith("/"):
            (root / path).mkdir(exist_ok=True)
        else:
            (root / path).write_text(path)
    return root


def selected(
    source: DirectorySource, pattern: str, *, exclude: tuple[str, ...] = (), parents: bool = False
) -> str:
    """The paths that an argument selects, in order; a slash behind those of directories."""
    return " ".join(
        os.fsdecode(item.path) + "/" * (item.entry.kind == 2)
        for match in source.match(pattern, exclude=exclude, parents=parents)
        for item in match.items
    )


def settle(root: Path) -> None:
    """Wait until the clock of the file system has gone on since the last change."""
    latest = max(path.lstat().st_ctime_ns for path in (root, *root.rglob("*")))
    while time.clock_gettime_ns(CLOCK) <= latest + tick(latest):
        time.sleep(0.005)
