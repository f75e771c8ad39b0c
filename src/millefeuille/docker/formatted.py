"""Rows and values through the Go template of a `--format` option."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from millefeuille.docker.columns import Listing
from millefeuille.docker.table import align_text
from millefeuille.docker.template import Template
from millefeuille.docker.template.error import TemplateExecutionError, TemplateSyntaxError
from millefeuille.docker.template.values import Absent, Struct, TypedList
from millefeuille.errors import Invalid

_TABLE = "table"
_NO_PLATFORM = Absent("v1.Platform")


class InvalidFormat(Invalid):
    """The format is not a template, or does not fit what it is given."""


def render(listing: Listing, rows: Iterable[Mapping[str, object]], template: str) -> str:
    """Each row through `template`, one line each; `table TEMPLATE` adds a header and aligns columns.

    Raises InvalidFormat.
    """
    is_table = template.startswith(_TABLE)
    parsed = parse(_text(template))
    lines = "".join(f"{execute(parsed, struct(listing, row))}\n" for row in rows)
    if not is_table:
        return lines
    return align_text(f"{_header(parsed, listing)}\n{lines}")


def render_together(
    type_name: str, kinds: Mapping[str, tuple[Listing, Sequence[Mapping[str, object]]]], template: str
) -> str:
    """Lists of rows, by their names the fields of one struct, through `template` once; no line is ended.

    Raises InvalidFormat.
    """
    fields = {
        name: TypedList([struct(listing, row) for row in rows], f"*{listing.type_name}")
        for name, (listing, rows) in kinds.items()
    }
    data = Struct(type_name=type_name, fields=fields, pointer=True, escapes=True)
    try:
        return parse(_text(template)).execute(data)
    except TemplateExecutionError as error:
        raise InvalidFormat(str(error)) from error  # in Docker's words, which are fewer here


def parse(template: str) -> Template:
    """The template in a `--format` option. Raises InvalidFormat."""
    try:
        return Template.parse(template)
    except TemplateSyntaxError as error:
        raise InvalidFormat(f"template parsing error: {error}") from error


def execute(template: Template, data: object) -> str:
    """The template's text for one value. Raises InvalidFormat."""
    try:
        return template.execute(data)
    except TemplateExecutionError as error:
        raise InvalidFormat(f"template parsing error: {error}") from error


def struct(listing: Listing, row: Mapping[str, object]) -> Struct:
    """A row as the Go value that a template sees."""
    # Docker's rows have one member that may be nothing, a pointer to a platform.
    fields = {name: _NO_PLATFORM if value is None else value for name, value in sorted(row.items())}
    return Struct(
        type_name=listing.type_name, fields=fields, pointer=True, escapes=True,
        json_names={name: "" for name, value in row.items() if callable(value)},
    )  # fmt: skip


def _text(template: str) -> str:
    return template.removeprefix(_TABLE).strip(" ").replace("\\t", "\t").replace("\\n", "\n")


def _header(template: Template, listing: Listing) -> str:
    """The header's line; what cannot be computed from names of columns leaves it short, as in Docker."""
    output: list[str] = []
    try:
        template.execute(dict(listing.headers), header=True, output=output)
    except TemplateExecutionError:
        pass
    return "".join(output)
