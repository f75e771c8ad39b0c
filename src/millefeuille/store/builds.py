"""Builds in the database: what was built, when, and how each step went."""

from __future__ import annotations

from collections.abc import Iterator

from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass

KEPT = 200  # builds; older ones are forgotten as new ones come


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRecord:
    """One build that ended. `series` is the same for builds of the same thing; `record` is JSON."""

    id: str
    series: str
    ended_ns: int
    record: str


def add(tx: Transaction, build: BuildRecord) -> None:
    """Remember a build, and forget the oldest."""
    row = (build.id, build.series, build.ended_ns, build.record)
    tx.execute("INSERT OR REPLACE INTO builds VALUES (?,?,?,?)", row)
    tx.execute(
        "DELETE FROM builds WHERE id IN (SELECT id FROM builds ORDER BY ended_ns DESC, id LIMIT -1 OFFSET ?)",
        (KEPT,),
    )


def builds(tx: Transaction, series: str = "") -> Iterator[BuildRecord]:
    """Builds, the newest first; of one series when it is given."""
    where, values = ("WHERE series = ?", (series,)) if series else ("", ())
    query = f"SELECT id, series, ended_ns, record FROM builds {where} ORDER BY ended_ns DESC, id"
    for id, name, ended, record in tx.execute(query, values).fetchall():
        yield BuildRecord(id=id, series=name, ended_ns=ended, record=record)


def remove(tx: Transaction, id: str) -> bool:
    """Forget a build; False when there is none."""
    return tx.execute("DELETE FROM builds WHERE id = ?", (id,)).rowcount > 0
