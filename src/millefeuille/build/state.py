"""State: a stage as far as it has been built. A step gives a new one."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any
from millefeuille.build import process
from millefeuille.build.base import Base
from millefeuille.build.outputs.finished import Finished, Step
from millefeuille.build.scope import Scope
from millefeuille.oci.digest import Digest
from millefeuille.oci.layer import chain_id
from millefeuille.oci.platform import Platform
from millefeuille.store.images import LayerRecord
from millefeuille.values import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the instructions so far have come to.

    `config` is the `config` member of the image's config; `has_command` says whether this stage set CMD
    itself; `steps` is the history since the base image.
    """

    platform: Platform
    base: Base
    scope: Scope
    layers: tuple[LayerRecord, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    author: str = ""
    steps: tuple[Step, ...] = ()
    has_command: bool = False

    @property
    def chain(self) -> Digest | None:
        """The chain ID of all its layers; None for an empty root."""
        return chain_id(layer.diff_id for layer in self.layers)

    @property
    def directory(self) -> str:
        """The working directory."""
        return process.directory(self.config)

    def told(self, created_by: str, config: Mapping[str, Any] | None = None) -> State:
        """With a step that made no layer, and the config that it left."""
        step = Step(created_by=created_by, empty=True)
        return replace(self, steps=(*self.steps, step), config=self.config if config is None else config)

    def stacked(self, layer: LayerRecord, created_by: str, created_ns: int) -> State:
        """With one layer more."""
        step = Step(created_by=created_by, created=created_ns)
        return replace(self, layers=(*self.layers, layer), steps=(*self.steps, step))

    def finished(self, epoch: int | None) -> Finished:
        """What outputs need to know of it."""
        return Finished(
            platform=self.platform,
            layers=self.layers,
            base_layers=len(self.base.layers),
            blobs=self.base.blobs,
            base=self.base.document,
            process=self.config,
            author=self.author,
            steps=self.steps,
            epoch=epoch,
        )
