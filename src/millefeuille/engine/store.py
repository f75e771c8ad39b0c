"""The engine's store: the one under the settings' root."""

from __future__ import annotations

from millefeuille.engine.foreign import reach
from millefeuille.settings import Settings
from millefeuille.store.store import Store


def open_store(settings: Settings) -> Store:
    """The store, whether it exists or not; nothing is touched."""
    return Store(settings.root)


def existing(settings: Settings) -> Store | None:
    """The store when there is one; commands that only look do not make it. Raises StoreDenied."""
    store = Store(settings.root)
    return store if store.exists() else None


def removing(settings: Settings) -> Store | None:
    """The store when there is one, for a command that removes what is in it.

    Extracted layers of an ordinary user hold files of users whom only its namespace has: this process becomes
    root in it when there are any, and must have one thread only.
    """
    store = existing(settings)
    if store is not None:
        reach(store.disk.root, store.disk.extracted)
    return store


def founded(settings: Settings) -> Store:
    """The store, made where it is missing. Raises NotAStore, OSError."""
    store = Store(settings.root)
    store.create()
    return store
