"""Inspected objects through a Go template: first as Go structs, then as plain JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from millefeuille.annotations import Any
from millefeuille.docker.formatted import InvalidFormat, parse
from millefeuille.docker.template import Template
from millefeuille.docker.template.error import TemplateExecutionError
from millefeuille.docker.template.values import Number
from millefeuille.errors import MilleError


def render(
    objects: Sequence[tuple[Callable[[Mapping[str, Any]], object], Mapping[str, Any]]], template: str, *,
    raw: bool = True,
) -> tuple[str, tuple[MilleError, ...]]:  # fmt: skip
    """One line for each object that the template fits, and an error for each that it does not.

    Without `raw` it is to fit the struct. Each object comes after what makes a Go struct of it. Without any
    line the text is an empty line, as Docker prints it. Raises InvalidFormat.
    """
    parsed = parse(template)
    lines: list[str] = []
    errors: list[MilleError] = []
    strict = False
    for as_struct, value in objects:
        try:
            lines.append(parsed.execute(as_struct(value), strict=strict) + "\n")
        except TemplateExecutionError as error:
            if not raw:
                errors.append(_misfit(error))
                continue
            # From here on an unknown key is an error for structs too: Docker sets the option for good.
            strict = True
            _raw(parsed, value, lines, errors)
    return "".join(lines) or "\n", tuple(errors)


def _raw(template: Template, value: object, lines: list[str], errors: list[MilleError]) -> None:
    try:
        lines.append(template.execute(_numbers(value), strict=True) + "\n")
    except TemplateExecutionError as error:
        errors.append(_misfit(error))


def _misfit(error: TemplateExecutionError) -> InvalidFormat:
    return InvalidFormat(f"template parsing error: {error}")


def _numbers(value: object) -> object:
    """The JSON value with its numbers as text, for so Docker decodes them."""
    if isinstance(value, Mapping):
        return {key: _numbers(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_numbers(member) for member in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return Number(str(value))
    return value
