"""Targets and outlines as text and as the values of a JSON document, in BuildKit's form."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.annotations import Any
from millefeuille.build.call.outline import Outline, Wanted
from millefeuille.build.call.targets import Target
from millefeuille.build.dockerfile.instructions import Location


def targets_text(found: Sequence[Target]) -> str:
    """A row for each target."""
    rows = [("TARGET", "DESCRIPTION")]
    for target in found:
        name = f"{target.name} (default)".strip() if target.default else target.name
        rows.append((name, target.description))
    return _table(rows)


def outline_text(found: Outline) -> str:
    """A table for each kind of thing that the target takes."""
    parts = []
    if found.name or found.description:
        rows = [("TARGET:", found.name or "(default)")]
        if found.description:
            rows.append(("DESCRIPTION:", found.description))
        parts.append(_table(rows))
    if found.arguments:
        rows3 = [("BUILD ARG", "VALUE", "DESCRIPTION")]
        rows3 += [(one.name, one.value, one.description) for one in found.arguments]
        parts.append(_table(rows3))
    for title, wanted in (("SECRET", found.secrets), ("SSH", found.agents)):
        if wanted:
            rows = [(title, "REQUIRED"), *((one.name, "true" if one.required else "") for one in wanted)]
            parts.append(_table(rows))
    return "\n".join(parts)


def targets_json(found: Sequence[Target]) -> dict[str, Any]:
    """The document of `--call=targets,format=json`."""
    return {
        "targets": [
            _without_empty(
                {
                    "name": target.name,
                    "default": target.default,
                    "description": target.description,
                    "base": target.base,
                    "platform": target.platform,
                    "location": _location(target.location),
                }
            )
            for target in found
        ]
    }


def outline_json(found: Outline) -> dict[str, Any]:
    """The document of `--call=outline,format=json`."""
    arguments = [
        _without_empty(
            {
                "name": one.name,
                "desc": one.description,
                "value": one.value,
                "location": _location(one.location),
            }
        )
        for one in found.arguments
    ]
    caches = [{"ID": one.name, "location": _location(one.location)} for one in found.caches]
    return _without_empty(
        {
            "name": found.name,
            "description": found.description,
            "args": arguments,
            "secrets": _wanted(found.secrets),
            "ssh": _wanted(found.agents),
            "cache": caches,
        }
    )


def _wanted(found: Sequence[Wanted]) -> list[dict[str, Any]]:
    return [
        _without_empty({"name": one.name, "required": one.required, "location": _location(one.location)})
        for one in found
    ]


def _location(location: Location) -> dict[str, Any]:
    return {"ranges": [{"start": {"line": location.first}, "end": {"line": location.last}}]}


def _without_empty(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value}


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) + 3 for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        lines.append("".join((*cells, row[-1])) + "\n")
    return "".join(lines)
