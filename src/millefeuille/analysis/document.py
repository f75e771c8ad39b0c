"""The analysis of one image as a document: what `--json` gives, what is kept, and what reports are made from.

Its members stand in docs/analyze.md. VERSION changes its first number when one of them goes or means
something else, and its second when some are added. Sizes are bytes, layers are numbered from the lowest, 0.
Paths have no slash in front; bytes of a path that are no UTF-8 stand as lone surrogates, U+DC80 to U+DCFF.
"""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.analysis.dive import DiveScore
from millefeuille.analysis.filelist import marked
from millefeuille.analysis.image import Image
from millefeuille.analysis.ledger import Ledger
from millefeuille.analysis.schema import VERSION, Document
from millefeuille.analysis.stacking import ATTRIBUTES, CHANGES, CONTENT, KIND, SAME
from millefeuille.annotations import Final
from millefeuille.layers.entry import FILE
from millefeuille.plainjson import dumps

_MANY: Final = 100  # pieces that are quicker written as one


def document(image: Image, account: Ledger, dive: DiveScore) -> Document:
    """Everything but the files of the layers."""
    copies = [
        {
            "sizeBytes": one.size, "extraBytes": one.extra,
            "places": [{"layer": layer, "path": _text(path)} for layer, path in one.places],
        }
        for one in account.copies
    ]  # fmt: skip
    return {**outline(image, account, dive), "copies": copies}


def outline(image: Image, account: Ledger, dive: DiveScore) -> Document:
    """Everything but the copies and the files of the layers."""
    return {
        "schemaVersion": VERSION,
        "image": {
            "name": image.name, "id": str(image.config.id), "platform": str(image.config.platform),
            "base": {"layers": image.base, "name": image.base_name},
        },
        "score": {"exact": _exact(account), "dive": _dive(dive)},
        "layers": [_layer(image, account, number) for number in range(len(image.parts))],
        "waste": [
            {
                "path": _text(item.path), "sizeBytes": item.size, "compressedBytes": item.packed,
                "writer": item.writer, "killer": item.killer, "cause": item.cause,
                "by": _text(item.by), "inherited": item.inherited,
            }
            for item in account.items
        ],
    }  # fmt: skip


class Texts:
    """The document as JSON, whose parts are written once for both of its forms.

    `found` is its outline, and `copies` the JSON of what that leaves out.
    """

    def __init__(self, found: Document, copies: bytes) -> None:
        rest = {name: value for name, value in found.items() if name != "layers"}
        self._rest = b"".join((_json(rest)[:-1], b',"copies":', copies, b',"layers":['))
        self._layers = [_json(layer) for layer in found["layers"]]

    def head(self) -> bytes:
        """Without the files of the layers."""
        return self._rest + b",".join(self._layers) + b"]}"

    def whole(
        self, image: Image, account: Ledger, listed: Sequence[bytes | memoryview]
    ) -> list[bytes | memoryview]:
        """With the files of each layer, in pieces; `listed` has what `file_list` gives for each."""
        dead: list[set[int]] = [set() for _ in image.parts]
        for writer, entry in account.dead:
            dead[writer].add(entry)
        pieces: list[bytes | memoryview] = [self._rest]
        for number, (layer, files) in enumerate(zip(self._layers, listed, strict=True)):
            pieces += (b"," if number else b"", layer[:-1], b',"files":[')
            pieces += marked(files, image.parts[number].layer, account.changes[number], dead[number])
            pieces.append(b"]}")
        pieces.append(b"]}")
        return pieces if len(pieces) < _MANY else [b"".join(pieces)]


def _json(found: Document) -> bytes:
    return dumps(found, separators=(",", ":")).encode()


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")


def _exact(account: Ledger) -> Document:
    return {
        "efficiency": account.efficiency, "storedBytes": account.stored, "liveBytes": account.live,
        "shadowedBytes": account.shadowed, "avoidableBytes": account.avoidable,
        "inheritedBytes": account.inherited, "compressedBytes": account.packed,
        "compressedShadowedBytes": account.packed_shadowed, "repeatedBytes": account.repeated,
        "byCause": dict(account.by_cause),
    }  # fmt: skip


def _dive(dive: DiveScore) -> Document:
    return {
        "efficiency": dive.efficiency, "wastedBytes": dive.wasted, "sizeBytes": dive.size,
        "userSizeBytes": dive.user_size,
        "inefficiencies": [
            {"path": "/" + _text(each.path), "count": each.count, "sizeBytes": each.size}
            for each in dive.inefficiencies
        ],
    }  # fmt: skip


def _layer(image: Image, account: Ledger, number: int) -> Document:
    part, sums = image.parts[number], account.layers[number]
    changes = account.changes[number]
    counts = {kind: sum(change == kind for change in changes.values()) for kind in range(len(CHANGES))}
    marks = len(part.layer.whiteouts) + len(part.layer.opaques)
    return {
        "index": number, "diffId": str(part.diff_id), "digest": str(part.digest),
        "createdBy": part.step.created_by, "created": part.step.created, "base": number < image.base,
        "sizeBytes": sums.stored, "liveBytes": sums.live, "shadowedBytes": sums.shadowed,
        "killedBytes": sums.killed, "compressedBytes": sums.packed,
        "compressedShadowedBytes": sums.packed_shadowed,
        "entries": {
            "files": part.layer.kinds.count(FILE), "added": len(part.layer.paths) - marks - len(changes),
            "content": counts[CONTENT], "metadata": counts[ATTRIBUTES], "type": counts[KIND],
            "unchanged": counts[SAME], "removed": len(account.removed[number]),
        },
    }  # fmt: skip
