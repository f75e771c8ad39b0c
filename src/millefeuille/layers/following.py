"""Symlinks followed by hand, inside of a root that nothing leads out of.

For trees that are not mounted, and where the path that a link leads to has to be known as a text.
"""

from __future__ import annotations

from collections.abc import Callable

from millefeuille.annotations import Final
from millefeuille.errors import Invalid

HOPS: Final = 40  # as the kernel's MAXSYMLINKS


class TooManyLinks(Invalid):
    """A path leads through more symlinks than anybody follows."""


def follow(path: bytes, link_at: Callable[[bytes], bytes | None], *, leaf: bool, most: int = HOPS) -> bytes:
    """The path below the root, without links, that `path` leads to; "" is the root.

    `link_at` gives the target of the symlink at a path without links, None where there is none. A link that
    `path` itself ends with is followed only for `leaf`. Raises TooManyLinks for more than `most` of them.
    """
    waiting = cleaned(path).split(b"/")[::-1]
    done: list[bytes] = []
    passed = 0
    while waiting:
        part = waiting.pop()
        if part in (b"", b"."):
            continue
        if part == b"..":
            del done[-1:]
            continue
        done.append(part)
        target = link_at(b"/".join(done)) if leaf or waiting else None
        if target is None:
            continue
        passed += 1
        if passed > most:
            raise TooManyLinks(f"too many links in {path.decode(errors='backslashreplace')}")
        done = [] if target.startswith(b"/") else done[:-1]
        waiting += target.split(b"/")[::-1]
    return b"/".join(done)


def cleaned(path: bytes) -> bytes:
    """`path` below the root as text alone: no `.`, no `..`, no slashes at either end."""
    parts: list[bytes] = []
    for part in path.split(b"/"):
        if part == b"..":
            del parts[-1:]
        elif part not in (b"", b"."):
            parts.append(part)
    return b"/".join(parts)


def asserts_directory(path: bytes) -> bool:
    """Whether a path is written so that it can only be a directory's: with `/` or `/.` at its end."""
    return path.endswith((b"/", b"/.")) or path == b"."
