"""Times: the identity of the times that copies have where an epoch holds them back.

Without an epoch times of files are in no key: whichever build was first gives them to the layer. With one the
layer is to be the same in any store, so those before the epoch, which stay as they are, count too.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from blake3 import blake3

from millefeuille.build.sources.items import Items
from millefeuille.build.sources.source import Match


def times(matches: Iterable[Match], epoch: int) -> str:
    """The identity, in hex, of the times (seconds) of what was selected, in its order, none after `epoch`."""
    hasher = blake3()
    for match in matches:
        held = [min(seconds, epoch) for seconds in _mtimes(match)]
        hasher.update(array("q", (len(held), *held)).tobytes())
    return hasher.hexdigest()


def _mtimes(match: Match) -> Sequence[int]:
    items = match.items
    # An Items tells the times without making its items, for what may all be cached.
    return items.mtimes() if isinstance(items, Items) else [item.entry.mtime for item in items]
