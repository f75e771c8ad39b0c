"""Fetched: a file that came from a URL, as a source of ADD."""

from __future__ import annotations

import os
from collections.abc import Sequence

from blake3 import blake3

from millefeuille.annotations import Final
from millefeuille.build.copying.planned import UNDATED
from millefeuille.build.sources.identity import entries_of, identity
from millefeuille.build.sources.source import Item, Match, NotFound
from millefeuille.errors import Invalid
from millefeuille.layers.entry import FILE
from millefeuille.layers.tarheader import Metadata

_MODE: Final = 0o600
_CHUNK: Final = 1 << 20  # bytes


class FetchedSource:
    """One file as a Source, called `name`. `descriptor` is the caller's, open as long as somebody copies.

    `mtime` is its time in seconds, as the server says it.
    """

    def __init__(self, name: str, descriptor: int, mtime: int | None = None) -> None:
        path = os.fsencode(name)
        if b"/" in path or path in (b"", b".", b".."):
            raise Invalid(f"{name!r} is no name of a file")
        self._descriptor = descriptor
        size = os.fstat(descriptor).st_size
        when = UNDATED if mtime is None else mtime
        self._item = Item(path, Metadata(path=path, kind=FILE, mode=_MODE, size=size, mtime=when))

    def match(self, pattern: str, *, exclude: Sequence[str] = (), parents: bool = False) -> Sequence[Match]:
        """The file, when `pattern` is its name. Raises NotFound."""
        path = self._item.path
        if os.fsencode(pattern) != path:
            raise NotFound(pattern)
        return [Match(path=path, name=path, is_directory=False, items=[self._item])]

    def digest(self, matches: Sequence[Match], *, mode: bool = True) -> str:
        """See Source. Raises OSError."""
        hasher, at = blake3(), 0
        while data := os.pread(self._descriptor, _CHUNK, at):
            hasher.update(data)
            at += len(data)
        entries = entries_of([(self._item.entry, hasher.digest())])
        return identity([(match.name, entries) for match in matches], mode=mode)

    def open(self, item: Item) -> int:
        """See Source. Raises OSError."""
        return os.open(f"/proc/self/fd/{self._descriptor}", os.O_RDONLY | os.O_CLOEXEC)
