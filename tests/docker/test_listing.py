"""Lists against what the real docker CLI prints."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from millefeuille.docker.columns import (
    HISTORY,
    HISTORY_COLUMNS_EXACT,
    IMAGE_COLUMNS_WITH_DIGEST,
    IMAGES,
    SEARCH,
    USAGE,
)
from millefeuille.docker.formatted import InvalidFormat
from millefeuille.docker.jsontext import marshal
from millefeuille.docker.listing import render
from millefeuille.docker.shapes.event import EngineEvent, event_json, event_line
from millefeuille.docker.shapes.event_struct import event_struct
from millefeuille.docker.shapes.history import HistoryStep, history_item, history_rows
from millefeuille.docker.shapes.search import SearchResult, search_row
from millefeuille.docker.shapes.summary import ImageSummary, image_rows, image_summary
from millefeuille.docker.shapes.usage import (
    BUILD_CACHE,
    CONTAINERS,
    VOLUMES,
    Usage,
    detailed_image_row,
    image_usage,
    usage_row,
)
from millefeuille.docker.template import Template

_VECTORS = json.loads((Path(__file__).parent / "vectors" / "listings.json").read_text())


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The vectors were recorded in UTC."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def _summary(value: dict[str, Any]) -> ImageSummary:
    return ImageSummary(
        id=value["Id"],
        created=value["Created"],
        size=value["Size"],
        tags=tuple(value["RepoTags"]),
        digests=tuple(value["RepoDigests"]),
        labels=value["Labels"],
        shared=value["SharedSize"],
        containers=value["Containers"],
    )


def _step(value: dict[str, Any]) -> HistoryStep:
    return HistoryStep(
        id=value["Id"],
        created=value["Created"],
        created_by=value["CreatedBy"],
        size=value["Size"],
        comment=value["Comment"],
        tags=tuple(value["Tags"] or ()),
    )


def _event(value: dict[str, Any]) -> EngineEvent:
    actor = value["Actor"]
    return EngineEvent(
        type=value["Type"],
        action=value["Action"],
        id=actor["ID"],
        time=value["timeNano"],
        attributes=actor["Attributes"],
    )


def _images(case: dict[str, Any]) -> str:
    digests, truncate = "digests" in case, "no_trunc" not in case
    rows = [
        row
        for value in _VECTORS["images"]
        for row in image_rows(
            _summary(value), case["now"], digests=digests, template=case["format"], truncate=truncate
        )
    ]
    return render(IMAGES, rows, case["format"], IMAGE_COLUMNS_WITH_DIGEST if digests else None)


def _history(case: dict[str, Any]) -> str:
    steps = [_step(value) for value in _VECTORS["history"]]
    human = "exact" not in case
    rows = history_rows(steps, case["now"], human=human, truncate="no_trunc" not in case)
    return render(HISTORY, rows, case["format"], None if human else HISTORY_COLUMNS_EXACT)


def _usage(case: dict[str, Any]) -> str:
    images = [_summary(value) for value in _VECTORS["usage"]]
    usages = [image_usage(images, _VECTORS["layers_size"])]
    usages += [Usage(type=CONTAINERS), Usage(type=VOLUMES), Usage(type=BUILD_CACHE, percent=False)]
    return render(USAGE, map(usage_row, usages), case["format"])


def _detailed_usage(case: dict[str, Any]) -> str:
    columns = ("Repository", "Tag", "ID", "CreatedSince", "Size", "SharedSize", "UniqueSize", "Containers")
    rows = (detailed_image_row(_summary(value), case["now"]) for value in _VECTORS["usage"])
    return render(IMAGES, rows, case["format"], columns)


def _events(case: dict[str, Any]) -> str:
    events = [_event(value) for value in _VECTORS["events"]]
    if case["format"] == "":
        return "".join(f"{event_line(event)}\n" for event in events)
    template = Template.parse("{{json .}}" if case["format"] == "json" else case["format"])
    return "".join(f"{template.execute(event_struct(event))}\n" for event in events)


def _search(case: dict[str, Any]) -> str:
    results = [
        SearchResult(
            name=value["name"],
            description=value["description"],
            stars=value["star_count"],
            official=value["is_official"],
        )
        for value in _VECTORS["search"]
    ]
    truncate, marked = "no_trunc" not in case, case["format"] != "json"
    rows = (search_row(result, truncate=truncate, marked=marked) for result in results)
    return render(SEARCH, rows, case["format"])


_PRINTERS = {
    "images": _images,
    "history": _history,
    "usage": _usage,
    "usage -v": _detailed_usage,
    "events": _events,
    "search": _search,
}


@pytest.mark.parametrize("case", _VECTORS["cases"], ids=lambda case: f"{case['kind']} {case['format']}")
def test_prints_as_docker(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(InvalidFormat) as caught:
            _PRINTERS[case["kind"]](case)
        assert str(caught.value) == case["error"]
    else:
        assert _PRINTERS[case["kind"]](case) == case["output"]


def test_json_objects_have_the_members_of_the_engine() -> None:
    for value in _VECTORS["images"]:
        assert marshal(image_summary(_summary(value))) == marshal(value)
    for value in _VECTORS["history"]:
        assert marshal(history_item(_step(value))) == marshal(value)
    for value in _VECTORS["events"]:
        attributes = dict(sorted(value["Actor"]["Attributes"].items()))
        expected = value | {"Actor": value["Actor"] | {"Attributes": attributes}}
        assert marshal(event_json(_event(value))) == marshal(expected)
