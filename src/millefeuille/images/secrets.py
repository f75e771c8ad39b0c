"""Secrets of an image: in its config, and in all files of its layers, those that nothing shows too."""

from __future__ import annotations

import os
from collections.abc import Iterator

from millefeuille.analysis.image import Image, make_image
from millefeuille.analysis.ledger import ledger
from millefeuille.analysis.secrets.redaction import Redaction
from millefeuille.analysis.secrets.scan import Match, scan, scan_config
from millefeuille.annotations import Final
from millefeuille.images.content import config_of, find_platform
from millefeuille.layers.entry import FILE
from millefeuille.oci.platform import Platform
from millefeuille.store.images import LayerRecord, blobs_of, layers_of
from millefeuille.store.layers import open_index
from millefeuille.store.store import Store
from millefeuille.values import dataclass, replace

WHOLE: Final = 8 << 20  # bytes of a file up to which all of it is looked at
HEAD: Final = 1 << 20  # bytes that are looked at of a larger one


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A secret, and where its bytes lie.

    In a file: `path` in layer `layer`, whose diff ID and digest are given, at `offset` in the layer's tar;
    `killer` is the layer that hides the file, None when the image shows it. In the config: `layer` is None,
    and `where` says in what. `step` is the layer's step of the history, without the secrets that were found.
    """

    match: Match
    where: str
    path: bytes = b""
    layer: int | None = None
    diff_id: str = ""
    digest: str = ""
    offset: int = 0
    killer: int | None = None
    step: str = ""


def secrets(store: Store, text: str, platform: Platform | None = None) -> tuple[Finding, ...]:
    """All that are found: those of the config first, then by layer and path.

    Every one in a file was just read from the stored layer, so it can be recovered by whoever has the image.
    Raises NoSuchImage, PlatformMissing, DamagedLayer, BrokenLink, OSError.
    """
    with store.reading() as tx:
        record = find_platform(tx, text, platform)
        layers = layers_of(tx, record.id)
        rows = [
            (open_index(store.disk, layer), blob.digest, blob.size)
            for layer, blob in zip(layers, blobs_of(tx, record.manifest), strict=True)
        ]
        tars = [os.open(store.disk.tar(layer.diff_id), os.O_RDONLY | os.O_CLOEXEC) for layer in layers]
        config = config_of(store.blobs, record)
    try:
        image = make_image(text, config, rows)
        found = [Finding(match=match, where=where) for where, match in scan_config(config)]
        return _redacted((*found, *_in_layers(image, layers, tars)))
    finally:
        for tar in tars:
            os.close(tar)


def _redacted(found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings with steps that show none of them: a command often says what it writes into a file."""
    matches = {one.match.secret: one.match for one in found}.values()
    redaction = Redaction(matches)
    steps = {step: redaction.of(step) for step in {one.step for one in found}}
    return tuple(replace(one, step=steps[one.step]) for one in found)


def _in_layers(image: Image, layers: tuple[LayerRecord, ...], tars: list[int]) -> Iterator[Finding]:
    account = ledger(image.layers, image.sizes)
    killers = {(death.writer, death.entry): death.killer for death in account.deaths}
    known: dict[tuple[bytes, bytes], tuple[Match, ...]] = {}
    for number, (part, record) in enumerate(zip(image.parts, layers, strict=True)):
        index, paths = part.layer.index, part.layer.paths
        for entry in sorted(range(len(paths)), key=lambda entry: (paths[entry], entry)):
            size = index.sizes[entry]
            if index.kinds[entry] != FILE or not size or index.sparse(entry) is not None:
                continue
            # Where a file lies decides what is looked for, so equal content elsewhere is looked at again.
            key = (index.content(entry) or b"", paths[entry])
            matches = known.get(key) if key[0] else None
            if matches is None:
                taken = size if size <= WHOLE else HEAD
                data = os.pread(tars[number], taken, index.data_offset(entry))
                matches = known[key] = tuple(scan(paths[entry], data))
            for match in matches:
                yield Finding(
                    match=match, where=f"layer {number}", path=paths[entry], layer=number,
                    diff_id=str(record.diff_id), digest=str(part.digest),
                    offset=index.data_offset(entry) + match.offset, killer=killers.get((number, entry)),
                    step=part.step.created_by,
                )  # fmt: skip
