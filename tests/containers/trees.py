"""Trees on the disk that stand for a container's root, and for what is seen of them afterwards."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path


def make(root: Path, tree: dict[str, str | None]) -> Path:
    """A tree: by path the content of a file, `-> TARGET` for a symlink, None for a directory."""
    root.mkdir(exist_ok=True)
    for name, content in tree.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir(exist_ok=True)
        elif content.startswith("-> "):
            path.symlink_to(content[3:])
        else:
            path.write_text(content)
    return root


def seen(root: Path) -> dict[str, str | None]:
    """The tree in the words of `make`; other kinds by their letter."""
    found: dict[str, str | None] = {}
    for folder, folders, names in os.walk(root):
        for name in (*folders, *names):
            path = Path(folder, name)
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                text: str | None = f"-> {os.readlink(path)}"
            elif stat.S_ISDIR(mode):
                text = None
            elif stat.S_ISREG(mode):
                text = path.read_text(errors="replace")
            else:
                text = stat.filemode(mode)[0]
            found[str(path.relative_to(root))] = text
    return found


@contextlib.contextmanager
def opened(root: Path) -> Iterator[int]:
    """A descriptor of the tree's root, as a container's is given."""
    descriptor = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
