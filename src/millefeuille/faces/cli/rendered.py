"""Rows as a list command prints them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from millefeuille.docker import listing
from millefeuille.docker.columns import Listing
from millefeuille.faces.cli.exits import refusing


def render(
    kind: Listing,
    rows: Iterable[Mapping[str, object]],
    template: str = "",
    columns: Sequence[str] | None = None,
) -> str:
    """As `docker.listing.render`; a template that fails is the client's error. Raises Refusal."""
    with refusing():
        return listing.render(kind, rows, template, columns)
