"""What befalls a container, as the journal tells it: with its name, its image and its labels."""

from __future__ import annotations

from millefeuille.containers.record import Container
from millefeuille.store import journal
from millefeuille.store.store import Store


def facts(container: Container, **more: str) -> dict[str, str]:
    """What every happening says of a container; `more` goes before labels of the same name."""
    labels = container.config.get("Labels") or {}
    return {**labels, "image": container.image_name, "name": container.name, **more}


def note(store: Store, container: Container, action: str, **more: str) -> None:
    """Tell that something has befallen a container."""
    journal.note(store.disk.journal, "container", action, container.id, facts(container, **more))
