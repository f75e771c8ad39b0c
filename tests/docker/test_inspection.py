"""`image inspect` against answers of the real docker CLI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from millefeuille.docker.formatted import InvalidFormat
from millefeuille.docker.inspection import IMAGE, render, render_kinds
from millefeuille.docker.shapes.network import NETWORK

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


_NETWORK = {
    "Name": "n", "Id": "i", "Created": "2026-11-23T03:05:14Z", "Scope": "local", "Driver": "bridge",
    "EnableIPv4": True, "EnableIPv6": False, "IPAM": {"Driver": "default", "Options": None, "Config": None},
    "Internal": False, "Attachable": False, "Ingress": False, "ConfigFrom": {"Network": ""},
    "ConfigOnly": False, "Containers": {}, "Options": {}, "Labels": {},
}  # fmt: skip


def test_objects_of_other_kinds_that_do_not_fit_leave_out_their_line_too() -> None:
    objects = [(NETWORK, _NETWORK), (IMAGE, _VECTORS["images"]["full"])]
    text, errors = render_kinds(objects, "{{.Architecture}}")
    assert (text, len(errors)) == ("arm\n", 1)
    text, errors = render_kinds(objects, "{{.Nope}}")
    assert (text, len(errors)) == ("\n", 2)


def test_after_one_object_that_does_not_fit_unknown_keys_are_errors_in_all() -> None:
    image = (IMAGE, _VECTORS["images"]["full"])
    assert render_kinds([image], "{{.Config.Labels.nope}}")[1] == ()
    assert len(render_kinds([(NETWORK, _NETWORK), image], "{{.Config.Labels.nope}}")[1]) == 2
