"""The engine's look at what is kept of containers, for whoever checks and repairs the store."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from millefeuille.containers import damage
from millefeuille.engine.place import place
from millefeuille.settings import Settings
from millefeuille.store.check import Containers
from millefeuille.store.store import Store


def damaged(settings: Settings, store: Store) -> Containers:
    """What is wrong with it."""
    return partial(damage.damaged, store, place(settings))


def set_aside(settings: Settings, store: Store) -> Callable[[str], str]:
    """What sets aside what cannot be read of the container with an ID, and says so."""
    return partial(damage.mend, store, place(settings))
