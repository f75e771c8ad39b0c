"""Heredocs: the here-documents of a COPY as a source: a file for each, named by its delimiter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from blake3 import blake3

from millefeuille.annotations import Final
from millefeuille.build.copying.planned import UNDATED
from millefeuille.build.sources.identity import entries_of, identity
from millefeuille.build.sources.source import Item, Match, NotFound
from millefeuille.layers.entry import FILE
from millefeuille.layers.tarheader import Metadata

_MODE: Final = 0o644


class HeredocSource:
    """Texts by the names of their delimiters, as a Source; the files belong to 0:0.

    `mtime` in seconds is the files' time.
    """

    def __init__(self, texts: Mapping[str, bytes], mtime: int = UNDATED) -> None:
        self._texts = texts
        self._mtime = mtime

    def match(self, pattern: str, *, exclude: Sequence[str] = (), parents: bool = False) -> Sequence[Match]:
        """The file called `pattern`: names are no patterns here. Raises NotFound."""
        text = self._texts.get(pattern)
        if text is None:
            raise NotFound(pattern)
        path = pattern.encode(errors="surrogateescape")
        entry = Metadata(path=path, kind=FILE, mode=_MODE, size=len(text), mtime=self._mtime)
        return [Match(path=path, name=path, is_directory=False, items=[Item(path, entry)])]

    def digest(self, matches: Sequence[Match], *, mode: bool = True) -> str:
        """See Source."""
        return identity(
            (
                (match.name, entries_of((item.entry, self._hash(item)) for item in match.items))
                for match in matches
            ),
            mode=mode,
        )

    def open(self, item: Item) -> bytes:
        """See Source."""
        return self._texts[item.path.decode(errors="surrogateescape")]

    def _hash(self, item: Item) -> bytes:
        return blake3(self.open(item)).digest()
