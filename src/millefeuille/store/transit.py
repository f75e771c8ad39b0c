"""Transit: what is in the store while a command needs it, such as blobs that are made to leave it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from millefeuille.errors import MilleError
from millefeuille.store import removal
from millefeuille.store.leases import Lease
from millefeuille.store.transaction import writing


@contextlib.contextmanager
def transit(lease: Lease) -> Iterator[None]:
    """When the block ends, however it does, what `lease` claims goes unless something needs it by then."""
    try:
        yield
    finally:
        with contextlib.suppress(MilleError):  # it is nobody's then, and `image prune` finds it
            with writing(lease.disk) as tx:
                removal.end_lease(tx, lease)
