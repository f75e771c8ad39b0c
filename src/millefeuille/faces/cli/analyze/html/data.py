"""What the page shows, as JSON that can stand in HTML.

files    columns, one item for each regular file of each layer: `directory` (a number in `directories`),
         `name`, `size` (bytes), `layer`, and `killer`, the layer that took it away, or -1
"""

from __future__ import annotations

import json
import os

from millefeuille.analysis.image import Image
from millefeuille.analysis.ledger import Ledger
from millefeuille.analysis.schema import Document
from millefeuille.annotations import Any
from millefeuille.faces.cli.escaped import escaped, printable
from millefeuille.layers.entry import FILE


def page_data(image: Image, account: Ledger, found: Document) -> str:
    """All that the page has to know."""
    return embeddable({
        "image": _told(found["image"]),
        "exact": found["score"]["exact"],
        "dive": {name: found["score"]["dive"][name] for name in ("efficiency", "wastedBytes")},
        "layers": [
            {name: layer[name] for name in _OF_A_LAYER} | {"createdBy": _step(layer["createdBy"])}
            for layer in found["layers"]
        ],
        "waste": [
            [_shown(item["path"]), item["sizeBytes"], item["writer"], item["killer"], item["cause"]]
            for item in found["waste"][:_MOST]
        ],
        "wasted": len(found["waste"]),
        **_files(image, account),
    })  # fmt: skip


def embeddable(value: Any) -> str:
    """A value as JSON that no HTML parser takes for the end of the script it is in, or for a comment."""
    # Other than ASCII is escaped already, line separators among it.
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _files(image: Image, account: Ledger) -> dict[str, Any]:
    killers = {(writer, entry): killer for writer, entry, killer in account.losses}
    numbers: dict[bytes, int] = {}
    directory, names, sizes, layers, killed = [], [], [], [], []
    for number, layer in enumerate(image.layers):
        for entry, (path, kind) in enumerate(zip(layer.paths, layer.kinds, strict=True)):
            if kind != FILE:
                continue
            above, _, name = path.rpartition(b"/")
            directory.append(numbers.setdefault(above, len(numbers)))
            names.append(escaped(name))
            sizes.append(layer.sizes[entry])
            layers.append(number)
            killed.append(killers.get((number, entry), -1))
    files = {"directory": directory, "name": names, "size": sizes, "layer": layers, "killer": killed}
    # A slash within a part of an escaped path cannot be: so the page may split at them.
    return {"directories": [escaped(path) for path in numbers], "files": files}


def _shown(path: str) -> str:
    return escaped(os.fsencode(path))


def _told(value: Any) -> Any:
    """Words from an image that no letter turns around, in members too."""
    if isinstance(value, dict):
        return {name: _told(each) for name, each in value.items()}
    return printable(value) if isinstance(value, str) else value


def _step(text: str) -> str:
    return printable(" ".join(text.split()))


_OF_A_LAYER = ("sizeBytes", "compressedBytes", "shadowedBytes")
_MOST = 1000  # items of waste that the page lists
