"""Touched: a directory of this host, with one file in it taken for another than it is.

For asking what a change of the file would lead to. Nothing is changed, and nothing is copied.
"""

from __future__ import annotations

from collections.abc import Sequence

from blake3 import blake3

from millefeuille.annotations import Final
from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.ignore import NOTHING, Ignore
from millefeuille.build.sources.scan import Listing

_MARK: Final = b"touched"


class TouchedSource(DirectorySource):
    """As DirectorySource, but for the identity of what the file `touched` is in: that is another.

    `touched` is a path as `file` gives it. What `open` gives is the file as it is.
    """

    def __init__(self, root: str, touched: str, *, ignore: Ignore = NOTHING) -> None:
        """Open the directory. Raises OSError."""
        # What is known of the tree as it is stays untouched: neither the cache nor listings are kept.
        super().__init__(root, ignore=ignore)
        self._touched = touched
        self._number = -1

    def facts(self, listing: Listing) -> list[int]:
        """See DirectorySource; where the touched file was listed, its number is known from then on."""
        numbers = super().facts(listing)
        if self._touched in listing.paths:
            self._number = numbers[listing.paths.index(self._touched)]
        return numbers

    def cached_contents(self, numbers: Sequence[int]) -> list[bytes]:
        """See DirectorySource; of the touched file, by any name of it, another one than it has."""
        contents = super().cached_contents(numbers)
        return [
            blake3(_MARK + content).digest() if number == self._number else content
            for number, content in zip(numbers, contents, strict=True)
        ]
