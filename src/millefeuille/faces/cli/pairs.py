"""Flags whose values are `key=value`: labels, and options of a driver."""

from __future__ import annotations

from millefeuille.faces.cli.options import Option
from millefeuille.faces.cli.values import read_list


def mapping(name: str, help: str, *, short: str = "") -> Option[tuple[str, ...]]:
    """A `key=value` per flag."""
    return Option(
        name=name, help=f"{help} (default map[])", short=short, shape="map", default=(), read=read_list
    )


def pairs(texts: tuple[str, ...]) -> dict[str, str]:
    """`key=value` texts as a mapping; a key alone has no value, and the last one of a key counts."""
    return {key: value for key, _, value in (text.partition("=") for text in texts)}
