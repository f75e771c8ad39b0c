"""Finished: the final state of one build for one platform, all that an output needs to know of it."""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.platform import Platform
from millefeuille.store.images import LayerRecord
from millefeuille.values import dataclass, field

COMMENT: Final = "buildkit.dockerfile.v0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One instruction in an image's history, in BuildKit's words; an `empty` one made no layer.

    `created` is in nanoseconds since 1970: when the step's layer was made. None is for steps without a
    layer, which take the time of a layer beside them.
    """

    created_by: str
    created: int | None = None
    empty: bool = False
    comment: str = COMMENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a build came to, for one platform.

    `layers` are all of the image, lowest first; the `base_layers` lowest came with the base image, and
    `blobs` has the descriptors under which that image's manifest holds them, by diff ID. `base` is the base
    image's whole config, empty for scratch; `steps` is what has been done to it since. `process` is the
    `config` member of the new config: Cmd, Env, Labels and so on. With `epoch`, in seconds since 1970, the
    image and all steps have that time.
    """

    platform: Platform
    layers: tuple[LayerRecord, ...] = ()
    base_layers: int = 0
    blobs: Mapping[Digest, Descriptor] = field(default_factory=dict)
    base: Mapping[str, Any] = field(default_factory=dict)
    process: Mapping[str, Any] = field(default_factory=dict)
    author: str = ""
    steps: tuple[Step, ...] = ()
    epoch: int | None = None
