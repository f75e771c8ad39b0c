"""Steps of builds in the database: which layer came of which inputs. It is the builder's cache.

Only the builder writes these rows, for layers it made itself: what an image says of its own making is never
believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from millefeuille.oci.digest import Digest
from millefeuille.store.images import LayerRecord, layer
from millefeuille.store.recording import add_chains, record_layers
from millefeuille.store.transaction import Transaction
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """What one step came to. `key` stands for the `inputs`, JSON; `chain` is the stack that its layer was
    made on top of, with it. Times are nanoseconds, since 1970 but for `took_ns`.
    """

    key: str
    layer: LayerRecord
    chain: Digest
    inputs: str
    made_ns: int
    took_ns: int
    used_ns: int
    uses: int


def find(tx: Transaction, key: str) -> StepRecord | None:
    """The step that these inputs were given to before, when its layer is still known."""
    rows = tx.execute("SELECT * FROM build_steps WHERE key = ?", (key,)).fetchall()
    return next(_records(tx, rows), None)


def steps(tx: Transaction) -> Iterator[StepRecord]:
    """All steps, the one used longest ago first."""
    yield from _records(tx, tx.execute("SELECT * FROM build_steps ORDER BY used_ns, key").fetchall())


_Row = tuple[str, str, str, str, int, int, int, int]


def _records(tx: Transaction, rows: Iterable[_Row]) -> Iterator[StepRecord]:
    for key, diff_id, chain, inputs, made, took, used, uses in rows:
        found = layer(tx, Digest.parse(diff_id))
        if found is not None:
            yield StepRecord(
                key=key, layer=found, chain=Digest.parse(chain), inputs=inputs,
                made_ns=made, took_ns=took, used_ns=used, uses=uses,
            )  # fmt: skip


def record(
    tx: Transaction, step: StepRecord, layers: tuple[LayerRecord, ...], chains: tuple[Digest, ...]
) -> None:
    """Record a step whose layer is on the disk; `layers` and `chains` are the whole stack, lowest first."""
    record_layers(tx, (step.layer,))
    add_chains(tx, layers, chains)
    tx.execute(
        "INSERT OR REPLACE INTO build_steps VALUES (?,?,?,?,?,?,?,?)",
        (
            step.key, str(step.layer.diff_id), str(step.chain), step.inputs,
            step.made_ns, step.took_ns, step.used_ns, step.uses,
        ),
    )  # fmt: skip


def touch(tx: Transaction, keys: Iterable[str], now_ns: int) -> None:
    """Say that these steps were of use now."""
    tx.executemany(
        "UPDATE build_steps SET used_ns = ?, uses = uses + 1 WHERE key = ?", [(now_ns, key) for key in keys]
    )
