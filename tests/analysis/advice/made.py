"""Images for advice: instructions, each with the tar entries of the layer that it made."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile

from tests.analysis.stacks import parsed

from millefeuille.analysis.advice.step import Step, read_step
from millefeuille.analysis.advice.waste import Waste
from millefeuille.analysis.image import make_image
from millefeuille.analysis.ledger import ledger
from millefeuille.oci.config import parse
from millefeuille.oci.digest import Digest
from millefeuille.testing import rawtars
from millefeuille.values import replace

Made = tuple[str, tuple[bytes, ...]]


def step(line: str, *entries: bytes) -> Made:
    """An instruction, with what its layer has."""
    return line, entries


def waste(*steps: Made) -> Waste:
    """The image that these steps made, and nothing claimed in it; those without entries made no layer."""
    tars = [rawtars.archive(*entries) for _, entries in steps if entries]
    digests = [f"sha256:{hashlib.sha256(tar).hexdigest()}" for tar in tars]
    config = parse(json.dumps({
        "os": "linux", "architecture": "amd64", "config": {},
        "rootfs": {"type": "layers", "diff_ids": digests},
        "history": [{"created_by": line, "empty_layer": not entries} for line, entries in steps],
    }).encode())  # fmt: skip
    layers = [parsed(tar) for tar in tars]
    rows = [(layer.index, Digest.parse(digest), 100) for layer, digest in zip(layers, digests, strict=True)]
    script: list[Step] = []
    for line, entries in steps:
        number = sum(one.layer >= 0 for one in script) if entries else -1
        script.append(replace(read_step(line), layer=number))
    account = ledger(layers, [100] * len(layers))

    def read(layer: int, entry: int) -> bytes | None:
        with tarfile.open(fileobj=io.BytesIO(tars[layer])) as tar:
            content = tar.extractfile(tar.getmembers()[entry])
            return content.read() if content else None

    return Waste(image=make_image("made", config, rows), account=account, script=script, read=read)
