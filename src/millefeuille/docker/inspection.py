"""What the inspect commands print: indented JSON, one line of it, or a Go template for each object."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence

from millefeuille.annotations import Any
from millefeuille.docker.jsontext import indented, marshal
from millefeuille.errors import MilleError


def render(
    objects: Sequence[Mapping[str, Any]], template: str, struct: str, *, raw: bool = True
) -> tuple[str, tuple[MilleError, ...]]:
    """The text for standard output, and what went wrong.

    `template` is the value of `--format`; `struct` is "module:function" of what makes a Go struct of an
    object, loaded only for a template. Without `raw` a template that does not fit the struct is not tried
    with the plain object, which Docker's client has not of every kind. As in the answers of Docker's engine,
    `<`, `>` and `&` stay as they are. Raises InvalidFormat when the template cannot be parsed: exit code 64.
    """
    return render_kinds([(struct, value) for value in objects], template, raw=raw)


def render_kinds(
    objects: Sequence[tuple[str, Mapping[str, Any]]], template: str, *, raw: bool = True
) -> tuple[str, tuple[MilleError, ...]]:
    """As `render`, for objects of several kinds: each comes after the `struct` of its own kind."""
    if template == "":
        return f"{indented([value for _, value in objects], html=False)}\n", ()
    if template == "json":
        return f"{marshal([value for _, value in objects], html=False)}\n", ()
    # The template engine is loaded by name, so that the other formats do without it.
    inspected = importlib.import_module("millefeuille.docker.inspected")
    result: tuple[str, tuple[MilleError, ...]] = inspected.render(
        [(_maker(struct), value) for struct, value in objects], template, raw=raw
    )
    return result


def _maker(struct: str) -> Callable[[Mapping[str, Any]], object]:
    module, _, name = struct.partition(":")
    found: Callable[[Mapping[str, Any]], object] = getattr(importlib.import_module(module), name)
    return found


IMAGE = "millefeuille.docker.shapes.image_struct:image_struct"
