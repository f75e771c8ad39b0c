"""Flags whose values have a form of their own, checked as they are read."""

from __future__ import annotations

from collections.abc import Callable

from millefeuille.annotations import Any
from millefeuille.docker.creation.quantities import memory, unsigned
from millefeuille.faces.cli import values
from millefeuille.faces.cli.options import Option

Texts = tuple[str, ...]
Things = tuple[Any, ...]


def checked(
    name: str,
    help: str,
    check: Callable[[str], str],
    *,
    short: str = "",
    shape: str = "list",
    hidden: bool = False,
) -> Option[Texts]:
    """A text per flag, each as `check` returns it."""
    return Option(
        name=name, help=help, short=short, shape=shape, default=(), hidden=hidden,
        read=lambda text, before: (*before, check(text)),
    )  # fmt: skip


def things(name: str, help: str, read: Callable[[str], Any], *, shape: str = "list") -> Option[Things]:
    """Whatever `read` makes of each text."""
    return Option(
        name=name, help=help, short="", shape=shape, default=(),
        read=lambda text, before: (*before, read(text)),
    )  # fmt: skip


def hidden(name: str, help: str) -> Option[Texts]:
    """A text per flag, under a name of old."""
    return Option(
        name=name, help=help, short="", shape="list", default=(), read=values.read_list, hidden=True
    )


def amount(
    name: str, help: str, *, short: str = "", read: Callable[[str], int] = memory, shape: str = "bytes"
) -> Option[int]:
    """A number in the form that `read` reads."""
    return Option(
        name=name, help=help, short=short, shape=shape, default=0, read=lambda text, before: read(text)
    )


def natural(name: str, help: str, bits: int, shape: str) -> Option[int]:
    """A number without a sign."""
    return amount(name, help, read=lambda text: unsigned(text, bits), shape=shape)
