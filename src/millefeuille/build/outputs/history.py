"""History: how an image was made, step by step, aligned with its layers.

Source: BuildKit, exporter/containerimage/writer.go, `normalizeLayersAndHistory`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.build.outputs.finished import Finished, Step
from millefeuille.oci.moment import rfc3339

Entry = Mapping[str, Any]

_UNTOLD: Final = "buildkit.exporter.image.v0"


def history(finished: Finished) -> list[Entry]:
    """The history of a finished build: the base image's as it is, then an entry for each step.

    Layers that a base image tells nothing of get an entry each; a base that tells of more layers than it has
    is not believed.
    """
    old = [*_base(finished)]
    moments = _moments(finished, old)
    return old + [_entry(step, moment) for step, moment in zip(finished.steps, moments, strict=True)]


def last_moment(entries: Sequence[Entry]) -> str:
    """When the last step that says so was made, as it is written; "" when none does."""
    return next((text for text in map(_created, reversed(entries)) if text), "")


def _base(finished: Finished) -> Iterator[Entry]:
    value = finished.base.get("history")
    room = finished.base_layers
    for entry in value if isinstance(value, list) else ():
        if not isinstance(entry, dict):
            continue
        if not entry.get("empty_layer"):
            if room == 0:
                entry = {**entry, "empty_layer": True}
            room -= room > 0
        yield entry
    created = finished.base.get("created")
    moment = {"created": created} if isinstance(created, str) else {}
    yield from ({**moment, "comment": _UNTOLD} for _ in range(room))


def _moments(finished: Finished, old: Sequence[Entry]) -> Iterator[str]:
    """The time of each step. One without a layer has that of the layer before it, or of the first one after,
    so that no new step seems as old as the base image.
    """
    if finished.epoch is not None:
        yield from (rfc3339(finished.epoch * 1_000_000_000) for _ in finished.steps)
        return
    first = next((step.created for step in finished.steps if step.created is not None), None)
    moment = last_moment(old) if first is None else rfc3339(first)
    for step in finished.steps:
        moment = moment if step.created is None else rfc3339(step.created)
        yield moment


def _entry(step: Step, moment: str) -> Entry:
    fields = {"created": moment, "created_by": step.created_by, "comment": step.comment}
    entry: dict[str, Any] = {key: text for key, text in fields.items() if text}
    return entry | ({"empty_layer": True} if step.empty else {})


def _created(entry: Entry) -> str:
    value = entry.get("created")
    return value if isinstance(value, str) else ""
