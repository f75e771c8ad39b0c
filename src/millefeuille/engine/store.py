"""The engine's store: the one under the settings' root."""

from __future__ import annotations

from millefeuille.settings import Settings
from millefeuille.store.store import Store


def open_store(settings: Settings) -> Store:
    """The store, whether it exists or not; nothing is touched."""
    return Store(settings.root)


def existing(settings: Settings) -> Store | None:
    """The store when there is one; commands that only look do not make it."""
    store = Store(settings.root)
    return store if store.exists() else None


def founded(settings: Settings) -> Store:
    """The store, made where it is missing. Raises NotAStore, OSError."""
    store = Store(settings.root)
    store.create()
    return store
