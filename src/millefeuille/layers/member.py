"""Member: one file as it is copied from one place to another, be these trees on a disk, images or tars."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from millefeuille.layers.entry import NO_XATTRS

# Where in the file some bytes of data lie, and these bytes. What lies between two runs reads as zeros.
Run = tuple[int, bytes | memoryview]


def no_content() -> Iterator[Run]:
    """The content of all that is no regular file."""
    return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One file. `path` is relative to what is being copied, "" for that itself; directories come before what
    is in them.

    `mode` has type bits and permissions; `mtime_ns` is in nanoseconds since 1970; `size` in bytes. `link` is
    a symlink's target; `same` the path of an earlier member that this one is a further name of, None for
    others. `content` gives a regular file's data, once, before the next member is asked for; it raises
    OSError, and Corrupt or Failed when the data is not what was promised.
    """

    path: bytes
    mode: int
    uid: int = 0
    gid: int = 0
    mtime_ns: int = 0
    size: int = 0
    link: bytes = b""
    same: bytes | None = None
    rdev: int = 0
    xattrs: Mapping[bytes, bytes] = field(default_factory=lambda: NO_XATTRS)
    content: Callable[[], Iterable[Run]] = no_content
