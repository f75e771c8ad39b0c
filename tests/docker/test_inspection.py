"""`image inspect` against answers of the real docker CLI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from millefeuille.docker.formatted import InvalidFormat
from millefeuille.docker.inspection import IMAGE, render

_VECTORS = json.loads((Path(__file__).parent / "vectors" / "inspections.json").read_text())


@pytest.mark.parametrize("case", _VECTORS["cases"], ids=lambda case: f"{case['image']}: {case['template']}")
def test_answers_as_docker(case: dict[str, Any]) -> None:
    text, errors = render([_VECTORS["images"][case["image"]]], case["template"], IMAGE)
    expected = (case["output"], [case["error"]] if "error" in case else [])
    assert (text, [str(error) for error in errors]) == expected


def test_a_template_that_cannot_be_parsed_is_an_error_at_once() -> None:
    with pytest.raises(InvalidFormat, match=r"^template parsing error: template: :1: unclosed action$"):
        render([], "{{.Nope", IMAGE)


def test_nothing_found_is_an_empty_list() -> None:
    assert render([], "", IMAGE) == ("[]\n", ())
    assert render([], "json", IMAGE) == ("[]\n", ())
    assert render([], "{{.Id}}", IMAGE) == ("\n", ())


def test_objects_that_do_not_fit_leave_out_their_line() -> None:
    images = [_VECTORS["images"]["bare"], _VECTORS["images"]["full"]]
    text, errors = render(images, "{{.Config.Healthcheck.Retries}}", IMAGE)
    assert text == "3\n"
    assert [str(error) for error in errors] == [
        'template parsing error: template: :1:9: executing "" at <.Config.Healthcheck.Retries>: '
        'map has no entry for key "Healthcheck"'
    ]
