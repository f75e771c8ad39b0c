"""`mille system map`."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

from millefeuille.analysis.layer import Layer
from millefeuille.analysis.storemap import store_map
from millefeuille.annotations import Any, Final
from millefeuille.docker.table import table
from millefeuille.docker.units import human_size
from millefeuille.engine.mapping import Mapped, mapped
from millefeuille.engine.store import existing
from millefeuille.engine.users import users
from millefeuille.faces.cli.command import Call, Command, Context, exactly
from millefeuille.faces.cli.escaped import escaped
from millefeuille.faces.cli.options import boolean
from millefeuille.oci.digest import Digest

VERSION: Final = "1.0"  # of the document
_ROWS: Final = 10
_NAMES: Final = 5  # of images in a row

JSON = boolean("json", "Print the map as JSON")
NO_TRUNC = boolean("no-trunc", "Don't truncate output")


def run(context: Context, call: Call) -> int:
    """Show what the images of the store have in common, and what could be saved."""
    store = existing(context.settings)
    if store is None:
        found = Mapped(map=store_map({}, _nothing), images=0, dangling=0, unused=0)
    else:
        found = mapped(store, users(context.settings))
    limit = None if call[NO_TRUNC] else _ROWS
    context.terminal.write(_json(found) if call[JSON] else _text(found, limit))
    return 0


def _text(found: Mapped, limit: int | None) -> str:
    seen = found.map
    head = [
        f"Images:              {found.images}",
        f"Files in layers:     {human_size(seen.stored)}",
        f"Without sharing:     {human_size(seen.without_sharing)}",
        f"Repeated in layers:  {human_size(seen.repeated)}",
        f"Prune would free:    {human_size(found.dangling)} of dangling images,"
        f" {human_size(found.unused)} of all without a container",
    ]
    parts = ["\n".join(head) + "\n"]
    parts += _part(("SHARED LAYER", "SIZE", "IMAGES"), [
        (one.layer.short, human_size(one.size), _names(one.images, limit)) for one in seen.shared[:limit]
    ])  # fmt: skip
    parts += _part(("NEARLY THE SAME", "AND", "IN COMMON", "LIKENESS"), [
        (one.layers[0].short, one.layers[1].short, human_size(one.common), f"{one.likeness:.1%}")
        for one in seen.near[:limit]
    ])  # fmt: skip
    parts += _part(("REPEATED FILE", "SIZE", "LAYERS"), [
        (f"/{escaped(one.path)}", human_size(one.file.size), str(len(one.file.layers)))
        for one in seen.files[:limit]
    ])  # fmt: skip
    parts += _part(("A COMMON BASE OF", "WOULD HOLD", "AND SAVE"), [
        (_names(one.images, limit), human_size(one.size), human_size(one.saved)) for one in seen.bases[:limit]
    ])  # fmt: skip
    return "\n".join(parts)


def _names(images: Sequence[str], limit: int | None) -> str:
    """All names, or the first ones and how many there are besides; `limit` None: all."""
    if limit is None or len(images) <= _NAMES:
        return ", ".join(images)
    return f"{', '.join(images[: _NAMES - 1])} and {len(images) - _NAMES + 1} more"


def _nothing(digest: Digest) -> Layer:
    raise KeyError(digest)


def _part(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    return [table(heads, rows)] if rows else []


def _json(found: Mapped) -> str:
    seen = found.map
    document: dict[str, Any] = {
        "schemaVersion": VERSION, "images": found.images, "storedBytes": seen.stored,
        "withoutSharingBytes": seen.without_sharing, "repeatedBytes": seen.repeated,
        "pruneBytes": {"dangling": found.dangling, "unused": found.unused},
        "sharedLayers": [
            {"diffId": str(one.layer), "sizeBytes": one.size, "images": list(one.images)}
            for one in seen.shared
        ],
        "nearLayers": [
            {
                "diffIds": [str(layer) for layer in one.layers], "commonBytes": one.common,
                "likeness": one.likeness,
            }
            for one in seen.near
        ],
        "repeatedFiles": [
            {
                "path": os.fsdecode(one.path), "blake3": one.file.content.hex(), "sizeBytes": one.file.size,
                "extraBytes": one.file.extra, "layers": [str(layer) for layer in one.file.layers],
            }
            for one in seen.files
        ],
        "commonBases": [
            {"images": list(one.images), "sizeBytes": one.size, "savedBytes": one.saved}
            for one in seen.bases
        ],
    }  # fmt: skip
    return json.dumps(document, indent=2) + "\n"


COMMAND = Command(
    usage="[OPTIONS]",
    arguments=exactly(0),
    options=(
        JSON,
        NO_TRUNC,
    ),
    run=run,
)
