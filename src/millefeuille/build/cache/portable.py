"""Portable: steps in the form of an image, to be put into a registry or a directory, and found there again.

The image's layers are those of the steps, each once; its config says which inputs stand for which layer.
Nothing but that document is fetched before one of its steps is wanted. A key is made of the inputs anew, so a
document cannot give a layer for inputs that it does not show; that a layer is what the inputs come to is
believed of whoever wrote it, which is why caches come only from where the user says.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence

from millefeuille import files
from millefeuille.annotations import Any, Final
from millefeuille.build.cache.key import key
from millefeuille.errors import Invalid
from millefeuille.oci import config as image_config
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.progress import Silent
from millefeuille.store.images import LayerRecord
from millefeuille.store.ingest import note_origin
from millefeuille.store.steps import StepRecord
from millefeuille.store.store import Store
from millefeuille.transfer.layers import LayerFetch
from millefeuille.transfer.plan import Plan
from millefeuille.transfer.source import ImageSource
from millefeuille.values import dataclass

MEMBER: Final = "io.millefeuille.cache"


class BadCache(Invalid):
    """A document is no build cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portable:
    """A step told in a document."""

    inputs: str
    layer: int
    made_ns: int
    took_ns: int


def document(steps: Sequence[StepRecord]) -> ImageConfig:
    """The config of an image that has these steps, equal for equal steps."""
    layers = list(dict.fromkeys(step.layer.diff_id for step in steps))
    host = Platform.host()
    told = [
        {
            "inputs": step.inputs, "layer": layers.index(step.layer.diff_id),
            "made": step.made_ns, "took": step.took_ns,
        }
        for step in sorted(steps, key=lambda one: one.key)
    ]  # fmt: skip
    fields = {
        "architecture": host.architecture,
        "os": host.os,
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [str(diff_id) for diff_id in layers]},
        MEMBER: told,
    }
    return image_config.parse(json.dumps(fields, separators=(",", ":")).encode(), "build cache")


def parse(config: ImageConfig, what: str) -> Mapping[str, Portable]:
    """The steps of a document, by key. Raises BadCache."""
    told = config.fields.get(MEMBER)
    if not isinstance(told, list):
        raise BadCache(f"{what}: no build cache of millefeuille")
    try:
        found = [_step(one) for one in told]
    except (KeyError, TypeError) as error:
        raise BadCache(f"{what}: a damaged build cache") from error
    if any(not 0 <= one.layer < len(config.diff_ids) for one in found):
        raise BadCache(f"{what}: a damaged build cache")
    return {key(one.inputs): one for one in found}


def _step(told: Any) -> Portable:
    inputs, numbers = told["inputs"], (told["layer"], told["made"], told["took"])
    if not isinstance(inputs, str) or not all(type(number) is int for number in numbers):
        raise TypeError(told)
    return Portable(inputs=inputs, layer=numbers[0], made_ns=numbers[1], took_ns=numbers[2])


class Imported:
    """Steps that lie elsewhere; their layers are fetched one by one, when they are wanted."""

    def __init__(self, store: Store, source: ImageSource, plan: Plan, what: str) -> None:
        self._store = store
        self._source = source
        self._layers = plan.layers
        self._steps = parse(plan.config, what)
        self._lock = threading.Lock()
        self.what = what

    def fetch(self, name: str) -> tuple[Portable, LayerRecord]:
        """The step with that key and its layer, which is in the store then, as one that was made here.

        Whoever asks holds a claim on the layer before (`diff_id`, which is not None). Raises what fetching
        raises.
        """
        step, disk = self._steps[name], self._store.disk
        with self._lock:
            blob, diff_id = self._layers[step.layer]
            fetched = LayerFetch(self._store, self._source, Silent(), {}).run([(blob, diff_id)])
            with files.explained(f"the store {disk.root}", root=disk.root):
                files.link(disk.tar(diff_id), disk.blob(diff_id))
                note_origin(disk.layer(diff_id), diff_id)
        return step, fetched[blob.digest]

    def diff_id(self, name: str) -> Digest | None:
        """The layer of the step with that key."""
        step = self._steps.get(name)
        return None if step is None else self._layers[step.layer][1]
