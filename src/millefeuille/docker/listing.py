"""What the list commands print: a table, JSON lines, or a Go template."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence

from millefeuille.docker.columns import Listing
from millefeuille.docker.jsontext import marshal
from millefeuille.docker.table import table


def render(
    listing: Listing,
    rows: Iterable[Mapping[str, object]],
    template: str = "",
    columns: Sequence[str] | None = None,
) -> str:
    """The rows as text: the default table, or as `template` (the value of `--format`) says.

    `columns` replaces the default ones. Raises InvalidFormat, whose message is Docker's; nothing is printed
    then.
    """
    shown = listing.columns if columns is None else columns
    if template in ("", "table"):
        headers = [str(listing.headers.get(name, "")) for name in shown]
        blanks = [listing.blanks.get(name, "") for name in shown]
        cells = ([str(row[n] or b) for n, b in zip(shown, blanks, strict=True)] for row in rows)
        return table(headers, cells)
    if template == "json":
        return "".join(f"{marshal(members(row))}\n" for row in rows)
    # The template engine is loaded by name, so that the default table does without it.
    formatted = importlib.import_module("millefeuille.docker.formatted")
    text: str = formatted.render(listing, rows, listing.named.get(template, template))
    return text


def members(row: Mapping[str, object]) -> dict[str, object]:
    """The members of a row by name, without those that are functions for templates."""
    return {name: row[name] for name in sorted(row) if not callable(row[name])}
