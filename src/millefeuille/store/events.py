"""Events: what happened to images, kept in each verb's own transaction; the oldest are forgotten.

What happened to containers, networks and volumes stands in the journal.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from millefeuille.plainjson import dumps, loads
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass, field

KEPT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """`action` befell the object `actor` (an image's name or ID) at `at_ns`, nanoseconds since 1970."""

    id: int
    at_ns: int
    kind: str
    action: str
    actor: str
    attributes: Mapping[str, str] = field(hash=False)


def record(tx: Transaction, action: str, actor: str, attributes: Mapping[str, str]) -> None:
    """Add an event of an image."""
    tx.execute(
        "INSERT INTO events (at_ns, kind, action, actor, attributes) VALUES (?,?,?,?,?)",
        (time.time_ns(), "image", action, actor, dumps(dict(attributes), sort_keys=True)),
    )
    tx.execute("DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?", (KEPT,))


def since(tx: Transaction, identifier: int = 0) -> Iterator[StoredEvent]:
    """The events after the one numbered `identifier`, oldest first."""
    rows = tx.execute("SELECT * FROM events WHERE id > ? ORDER BY id", (identifier,))
    for number, at, kind, action, actor, attributes in rows.fetchall():
        yield StoredEvent(
            id=number, at_ns=at, kind=kind, action=action, actor=actor, attributes=loads(attributes)
        )
