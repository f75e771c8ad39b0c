"""Committed: the config of an image that is made of a container.

Docker's, without what is the container's alone: its host name, its terminal, the image it was made from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat

from millefeuille.annotations import Any, Final
from millefeuille.later import Later
from millefeuille.oci import config as image_config
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.plainjson import dumps
from millefeuille.values import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.transfer.archive import changes
else:
    changes = Later("millefeuille.transfer.archive.changes")

# Of a container's configuration, what an image says too (OCI image-spec, config.md, and Docker's additions).
_KEPT: Final = (
    "User", "ExposedPorts", "Env", "Cmd", "Healthcheck", "ArgsEscaped", "Volumes", "WorkingDir", "Entrypoint",
    "OnBuild", "Labels", "StopSignal", "Shell",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the new image is to be. `instructions` are Dockerfile's, applied to the container's configuration;
    `epoch`, in seconds since 1970, is then the image's time, and no file's is later.
    """

    name: Reference | None = None
    author: str = ""
    message: str = ""
    instructions: Sequence[str] = ()
    epoch: int | None = None


def committed_process(container: Mapping[str, Any], instructions: Sequence[str]) -> dict[str, Any]:
    """The `config` member of the new config: a container's configuration, changed. Raises BadInstruction."""
    changed = changes.apply_changes(instructions, container) if instructions else container
    return {key: changed[key] for key in _KEPT if changed.get(key)}


def committed_config(
    base: ImageConfig,
    process: Mapping[str, Any],
    step: Mapping[str, Any],
    added: Digest | None,
) -> ImageConfig:
    """The config of an image with one `step` more than `base`, and with the layer `added` (None: the same).

    `step` is a history entry; its time and author are the image's.
    """
    old = base.fields
    # Layers that an image tells nothing of have a step each from now on.
    silent = {"created": base.created or step["created"]}
    untold = repeat(silent, len(base.diff_ids) - base.filled_steps)
    fields = {
        "architecture": base.platform.architecture,
        "author": step.get("author"),
        "config": process,
        "created": step["created"],
        "history": [*(old.get("history") or ()), *untold, {**step, **({} if added else {"empty_layer": True})}],
        "os": base.platform.os,
        "os.features": old.get("os.features"),
        "os.version": old.get("os.version"),
        "rootfs": {"type": "layers", "diff_ids": [*map(str, (*base.diff_ids, *((added,) if added else ())))]},
        "variant": old.get("variant"),
    }
    always = ("config", "rootfs")
    document = {key: value for key, value in fields.items() if value or key in always}
    return image_config.parse(dumps(document, separators=(",", ":"), ensure_ascii=False).encode())
