"""`mille image ls` with filters: which images they leave. A plain list does without all of this."""

from __future__ import annotations

import time
from collections.abc import Iterable
from functools import partial

from millefeuille.docker.filters import Filters
from millefeuille.docker.selection import LISTED, listed
from millefeuille.images.listing import visible
from millefeuille.store.images import ImageRecord
from millefeuille.store.names import find
from millefeuille.store.store import Store


def selected(
    store: Store | None, pairs: Iterable[tuple[str, str]], pattern: str, *, all: bool
) -> tuple[ImageRecord, ...]:
    """The images that pass the filters `pairs`, and `pattern` unless it is "".

    Raises InvalidFilter, BadPattern, NoSuchImage, InvalidTime.
    """
    filters = Filters.parse(f"{name}={value}" for name, value in pairs)
    if pattern:
        filters = filters.with_value("reference", pattern)
    filters.check(LISTED)
    if store is None:
        return ()
    with store.reading() as tx:
        found = visible(tx, all=all)
        return tuple(listed(found, filters, find=partial(find, tx), now=time.time_ns()))
