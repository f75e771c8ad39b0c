"""Go templates against answers of the real docker CLI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.docker.template import Template
from millefeuille.docker.template.error import TemplateExecutionError, TemplateSyntaxError
from millefeuille.docker.template.values import Absent, Number, Struct, Text, TypedList, TypedMap

_VECTORS = json.loads((Path(__file__).parent / "vectors" / "templates.json").read_text())
_DATA = json.loads(json.dumps(_VECTORS["data"]), parse_int=Number, parse_float=Number)


def _answer(template: str, data: object, strict: bool) -> tuple[str, str | None, int]:
    """Output, error and exit code, as `docker image inspect --format` has them."""
    try:
        return Template.parse(template).execute(data, strict=strict) + "\n", None, 0
    except TemplateSyntaxError as error:
        return "", f"template parsing error: {error}", 64
    except TemplateExecutionError as error:
        return "\n", f"template parsing error: {error}", 1


@pytest.mark.parametrize("case", _VECTORS["cases"], ids=lambda case: case["template"][:60])
def test_answers_as_docker(case: dict[str, Any]) -> None:
    expected = (case.get("output", ""), case.get("error"), case.get("code", 0))
    assert _answer(case["template"], _DATA, strict=True) == expected


def test_there_are_enough_cases() -> None:
    assert len(_VECTORS["cases"]) >= 150


def test_endless_recursion_is_an_error() -> None:
    template = Template.parse('{{define "r"}}{{template "r"}}{{end}}{{template "r"}}')
    with pytest.raises(TemplateExecutionError, match=r'executing "r" at .*exceeded maximum template depth'):
        template.execute({})


def test_deep_recursion_through_branches_is_an_error() -> None:
    inner = '{{template "r" .}}'
    for _ in range(10):
        inner = "{{with .}}{{if .}}" + inner + "{{end}}{{end}}"
    template = Template.parse('{{define "r"}}' + inner + '{{end}}{{template "r" "x"}}')
    with pytest.raises(TemplateExecutionError, match=r"nested too deeply|maximum template depth"):
        template.execute({})


def test_deep_nesting_is_an_error() -> None:
    with pytest.raises(TemplateSyntaxError, match="nested too deeply"):
        Template.parse("{{" + "(" * 5000 + "1" + ")" * 5000 + "}}")


def test_lax_execution_prints_no_value_for_unknown_keys() -> None:
    assert Template.parse("{{.a.b}} {{.m.b}}").execute({"m": {}}) == "<no value> <no value>"


_STRUCT = Struct(
    type_name="image.Response",
    fields={
        "ID": "sha256:1",
        "Tags": TypedList(["a<b", "c"]),
        "None": TypedList(None),
        "Labels": TypedMap({"k": "v"}),
        "Health": Absent("spec.Health", frozenset({"Test"})),
        "When": Text("2026-11-23 03:04:07 +0000 UTC", "2026-11-23T03:04:07Z"),
        "Base": Struct(type_name="spec.Base", fields={"User": ""}, omit_empty=frozenset({"User"})),
    },
    json_names={"ID": "Id", "Health": ""},
    embedded=frozenset({"Base"}),
    pointer=True,
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.ID}} {{.Tags}} {{.None}} {{.Labels}} {{.Health}} {{.When}}",
         "sha256:1 [a<b c] [] map[k:v] <nil> 2026-11-23 03:04:07 +0000 UTC"),
        ("{{json .}}",
         '{"Id":"sha256:1","Tags":["a<b","c"],"None":null,"Labels":{"k":"v"},"When":"2026-11-23T03:04:07Z"}'),
        ("{{.}}", "{sha256:1 [a<b c] [] map[k:v] <nil> 2026-11-23 03:04:07 +0000 UTC {}}"),
        ('{{index .Labels "nope"}}|{{.Labels.nope}}|{{.User}}|{{join .Tags "+"}}', "|<no value>||a<b+c"),
        ("{{if .Health}}y{{else}}n{{end}}{{with .Tags}}{{len .}}{{end}}", "n2"),
    ],
)  # fmt: skip
def test_structs_print_as_in_go(template: str, text: str) -> None:
    assert Template.parse(template).execute(_STRUCT) == text


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{.Nope}}", "<.Nope>: can't evaluate field Nope in type *image.Response"),
        ("{{.Health.Test}}", "<.Health.Test>: nil pointer evaluating *spec.Health.Test"),
        ("{{.Health.Nope}}", "<.Health.Nope>: can't evaluate field Nope in type *spec.Health"),
        ("{{.ID.x}}", "<.ID.x>: can't evaluate field x in type string"),
        ("{{.ID 1}}", "<.ID>: ID has arguments but cannot be invoked as function"),
    ],
)
def test_errors_name_the_type(template: str, message: str) -> None:
    with pytest.raises(TemplateExecutionError) as caught:
        Template.parse(template).execute(_STRUCT)
    assert str(caught.value).endswith(message)


@given(st.text(alphabet="{}.$|()\"'`-/* \n\tab1:=,ifendrangwh", max_size=40))
def test_any_text_is_a_template_or_a_syntax_error(text: str) -> None:
    try:
        template = Template.parse("{{" + text)
    except TemplateSyntaxError as error:
        assert str(error).startswith("template: :")
        return
    try:
        template.execute(_DATA)
    except TemplateExecutionError as error:
        assert str(error).startswith("template: :")


@given(st.text().filter(lambda text: "{{" not in text))
def test_text_without_actions_is_itself(text: str) -> None:
    assert Template.parse(text).execute({}) == text
