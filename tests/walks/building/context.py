"""The files of a build context, told in a table, and written with all that a tar can say of them.

    {"a": "text", "bin/tool": File("#!/bin/sh\\n", mode=0o4755), "link": Link("a"), "empty": Folder()}
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

MTIME: Final = 1_234_567_890  # of all that does not say another
_OWNER: Final = 1234  # a context's owner is nobody's business: what is copied belongs to root


@dataclass(frozen=True, slots=True)
class File:
    """A regular file; bytes or text."""

    data: str | bytes = ""
    mode: int = 0o644
    mtime: int = MTIME
    xattrs: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Folder:
    """A directory; those that are only on the way to something are made with these values."""

    mode: int = 0o755
    mtime: int = MTIME
    xattrs: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link."""

    to: str
    mtime: int = MTIME


@dataclass(frozen=True, slots=True)
class Same:
    """One more name of another file of the context, which stands earlier in the table."""

    as_: str


@dataclass(frozen=True, slots=True)
class Special:
    """A fifo, or a device where `kind` is a device's."""

    kind: int = stat.S_IFIFO
    mode: int = 0o644
    device: tuple[int, int] = (0, 0)


Thing = str | bytes | File | Folder | Link | Same | Special
Files = Mapping[str, Thing]


def write(directory: Path, files: Files) -> None:
    """Make these files below a directory that may be there already. Needs root."""
    old = os.umask(0)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        folders: dict[str, Folder] = {}
        for name, thing in files.items():
            for parent in list(Path(name).parents)[-2::-1]:
                folders.setdefault(str(parent), Folder())
                (directory / parent).mkdir(exist_ok=True)
            if isinstance(thing, Folder):
                folders[name] = thing
                (directory / name).mkdir(exist_ok=True)
            else:
                _make(directory, directory / name, thing)
        for name in sorted(folders, reverse=True):
            folder = folders[name]
            _finish(directory / name, folder.mode, folder.mtime, folder.xattrs)
    finally:
        os.umask(old)


def _make(top: Path, path: Path, thing: Thing) -> None:
    if isinstance(thing, str | bytes):
        thing = File(thing)
    if isinstance(thing, File):
        path.write_bytes(thing.data if isinstance(thing.data, bytes) else thing.data.encode())
        _finish(path, thing.mode, thing.mtime, thing.xattrs)
    elif isinstance(thing, Link):
        path.symlink_to(thing.to)
        os.lchown(path, _OWNER, _OWNER)
        os.utime(path, (thing.mtime, thing.mtime), follow_symlinks=False)
    elif isinstance(thing, Same):
        path.hardlink_to(top / thing.as_)
    elif isinstance(thing, Special):
        os.mknod(path, thing.kind | thing.mode, os.makedev(*thing.device))
        _finish(path, thing.mode, MTIME, {})


def _finish(path: Path, mode: int, mtime: int, xattrs: Mapping[str, bytes]) -> None:
    os.chown(path, _OWNER, _OWNER)  # before the mode: it takes set-user-ID away
    os.chmod(path, mode)
    for name, value in xattrs.items():
        os.setxattr(path, name, value)
    os.utime(path, (mtime, mtime))
