"""`image history`: the steps of an image's making, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from millefeuille.annotations import Any
from millefeuille.docker import rfc3339
from millefeuille.docker.age import ago
from millefeuille.docker.ellipsis import ellipsis
from millefeuille.docker.shapes.summary import short_id
from millefeuille.docker.units import human_size
from millefeuille.oci.config import History
from millefeuille.values import dataclass

MISSING = "<missing>"
_WIDTH = 45
_OLDEST = 946_684_800  # 2000-01-01: what was made before is said to have no known age


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryStep:
    """One step, made at `created` (Unix seconds), `size` bytes large; `id` may be `<missing>`."""

    id: str
    created: int
    created_by: str
    size: int
    comment: str
    tags: tuple[str, ...] = ()


def history_steps(
    history: Sequence[History],
    sizes: Sequence[int],
    lineage: Sequence[tuple[str, Sequence[str]]],
) -> list[HistoryStep]:
    """The steps, newest first.

    `history` is that of the config and `sizes` the bytes of its layers, both oldest first; `lineage` has the
    ID and tags of the image, then of each parent image that is kept.
    """
    filled = iter(sizes)
    steps: list[HistoryStep] = []
    for entry in history:
        step = HistoryStep(
            id=MISSING,
            created=rfc3339.seconds(entry.created),
            created_by=entry.created_by,
            size=0 if entry.empty_layer else next(filled, 0),
            comment=entry.comment,
        )
        steps.insert(0, step)
    return [_named(step, *lineage[n]) if n < len(lineage) else step for n, step in enumerate(steps)]


def history_item(step: HistoryStep) -> dict[str, Any]:
    """The object of `GET /images/NAME/history`."""
    return {
        "Comment": step.comment,
        "Created": step.created,
        "CreatedBy": step.created_by,
        "Id": step.id,
        "Size": step.size,
        "Tags": list(step.tags) or None,
    }


def history_rows(
    steps: Iterable[HistoryStep], now: float, *, human: bool = True, truncate: bool = True
) -> list[dict[str, str]]:
    """The rows of `columns.HISTORY`; unless `human`, ages are dates and sizes are bytes."""
    return [_row(step, now, human, truncate) for step in steps]


def _row(step: HistoryStep, now: float, human: bool, truncate: bool) -> dict[str, str]:
    created_by = step.created_by.replace("\t", " ")
    created_at = rfc3339.local(step.created * rfc3339.SECOND)
    since = ago(step.created, now) if step.created > _OLDEST else "N/A"
    return {
        "ID": short_id(step.id) if truncate else step.id,
        "CreatedSince": since if human else created_at,
        "CreatedAt": created_at,
        "CreatedBy": ellipsis(created_by, _WIDTH) if truncate else created_by,
        "Size": human_size(step.size, 3) if human else str(step.size),
        "Comment": step.comment,
    }


def _named(step: HistoryStep, id: str, tags: Sequence[str]) -> HistoryStep:
    return HistoryStep(
        id=id,
        created=step.created,
        created_by=step.created_by,
        size=step.size,
        comment=step.comment,
        tags=tuple(tags),
    )
