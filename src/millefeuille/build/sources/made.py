"""Made: a source of files that the build itself made or fetched: here-documents, downloads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from blake3 import blake3

from millefeuille import files
from millefeuille.build.sources.arguments import cleaned
from millefeuille.build.sources.identity import entries_of, identity
from millefeuille.build.sources.ignore import Ignore
from millefeuille.build.sources.source import Item, Match, NotFound
from millefeuille.layers.entry import FILE
from millefeuille.layers.tarheader import Metadata

_CHUNK = 1 << 20  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFile:
    """A file of 0:0: its bytes, or the path of a file of this host that holds them. `mtime` in seconds."""

    name: str
    content: bytes | str
    mode: int = 0o644
    mtime: int = 0


class MadeSource:
    """Files by their names, as a Source; the root has nothing else."""

    def __init__(self, made: Sequence[MadeFile]) -> None:
        """Raises OSError."""
        self._files = {os.fsencode(file.name): file for file in made}
        self._hashes: dict[bytes, bytes] = {}

    def match(self, pattern: str, *, exclude: Sequence[str] = (), parents: bool = False) -> Sequence[Match]:
        """See Source; the pattern is a file's name, as it is. Raises NotFound."""
        path = os.fsencode(cleaned(pattern))
        file = self._files.get(path)
        if file is None:
            raise NotFound(pattern)
        if exclude and Ignore(exclude).leaves_out(pattern):
            return []
        size = len(file.content) if isinstance(file.content, bytes) else os.stat(file.content).st_size
        entry = Metadata(path=path, kind=FILE, mode=file.mode, size=size, mtime=file.mtime)
        return [Match(path=path, name=path, is_directory=False, items=[Item(path, entry)])]

    def digest(self, matches: Sequence[Match], *, mode: bool = True) -> str:
        """See Source. Raises OSError."""
        parts = [
            (item.path, entries_of([(item.entry._replace(path=b""), self.content(item))]))
            for match in matches
            for item in match.items
        ]
        return identity(parts, mode=mode)

    def open(self, item: Item) -> int | bytes:
        """See Source. Raises OSError."""
        content = self._files[item.path].content
        if isinstance(content, bytes):
            return content
        return os.open(content, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)

    def content(self, item: Item) -> bytes:
        """The blake3 of a file's content. Raises OSError."""
        if item.path not in self._hashes:
            self._hashes[item.path] = self._hashed(item)
        return self._hashes[item.path]

    def _hashed(self, item: Item) -> bytes:
        opened = self.open(item)
        if isinstance(opened, bytes):
            return blake3(opened).digest()
        hasher = blake3()
        try:
            files.act("read", os.fsdecode(item.path))
            while data := os.read(opened, _CHUNK):
                hasher.update(data)
        finally:
            os.close(opened)
        return hasher.digest()
