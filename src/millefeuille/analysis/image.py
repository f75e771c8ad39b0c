"""Image: what an analysis is about: the layers of one image, and what its documents say of each."""

from __future__ import annotations

from collections.abc import Sequence

from millefeuille.analysis.layer import Layer
from millefeuille.layers.index import LayerIndex
from millefeuille.oci.config import History, ImageConfig
from millefeuille.oci.digest import Digest
from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One layer: its index, its blob (`size` in bytes) and the step of the history that made it."""

    layer: Layer
    diff_id: Digest
    digest: Digest
    size: int
    step: History


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image, its layers lowest first. The lowest `base` of them are those of the image `base_name`.

    The first `base_steps` of its history are that image's too; 0 where nobody knows.
    """

    name: str
    config: ImageConfig
    parts: tuple[Part, ...]
    base: int = 0
    base_name: str = ""
    base_steps: int = 0

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers alone."""
        return tuple(part.layer for part in self.parts)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The compressed size of each layer in bytes."""
        return tuple(part.size for part in self.parts)


def make_image(
    name: str, config: ImageConfig, found: Sequence[tuple[LayerIndex, Digest, int]],
    *, base: int = 0, base_name: str = "", base_steps: int = 0,
) -> Image:  # fmt: skip
    """The image with this config, and of each layer the index, the blob's digest and the blob's size."""
    steps = [step for step in config.history if not step.empty_layer]
    steps += [History()] * (len(found) - len(steps))
    parts = tuple(
        Part(layer=Layer(index), diff_id=diff_id, digest=digest, size=size, step=step)
        for (index, digest, size), diff_id, step in zip(found, config.diff_ids, steps, strict=False)
    )
    return Image(name=name, config=config, parts=parts, base=base, base_name=base_name, base_steps=base_steps)
