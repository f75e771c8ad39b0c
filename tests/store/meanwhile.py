"""What others do between a command's first look at the store and its lease on what it found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from millefeuille.images.prune import prune
from millefeuille.images.users import Nobody
from millefeuille.store import leases
from millefeuille.store.store import Store


def before_lease(patch: pytest.MonkeyPatch, work: Callable[[], object]) -> None:
    """Do it just before the next lease is taken."""
    real = leases.lease

    def lease(*given: Any) -> Any:
        patch.setattr(leases, "lease", real)
        work()
        return real(*given)

    patch.setattr(leases, "lease", lease)


def pruned(store: Store) -> None:
    """Remove the images without a name, and what nobody needs then."""
    prune(store, Nobody(), lambda image: True)
