"""Committed: the config of an image that is made of a container.

Docker's, without what is the container's alone: its host name, its terminal, the image it was made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import repeat

from millefeuille.annotations import Any, Final
from millefeuille.oci import config as image_config
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.digest import Digest
from millefeuille.oci.gotext import encoded
from millefeuille.oci.reference import Reference
from millefeuille.plainjson import dumps
from millefeuille.values import dataclass

# Of a container's configuration, what an image says too (OCI image-spec, config.md, and Docker's additions).
_KEPT: Final = (
    "User", "ExposedPorts", "Env", "Cmd", "Healthcheck", "ArgsEscaped", "Volumes", "WorkingDir", "Entrypoint",
    "OnBuild", "Labels", "StopSignal", "Shell",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the new image is to be. `process` is the container's configuration as somebody changed it, None
    for as it is; `epoch`, in seconds since 1970, is then the image's time, and no file's is later.
    """

    name: Reference | None = None
    author: str = ""
    message: str = ""
    process: Mapping[str, Any] | None = None
    epoch: int | None = None


def committed_process(
    container: Mapping[str, Any], changed: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The `config` member of the new config: a container's configuration, or that as it was `changed`.

    What the changes left empty is the container's again. Source: moby, daemon/commit.go, `merge`.
    """
    process = container if changed is None else _merged(changed, container)
    return {key: process[key] for key in _KEPT if process.get(key)}


def _merged(changed: Mapping[str, Any], container: Mapping[str, Any]) -> dict[str, Any]:
    process = dict(changed)
    for name in ("User", "WorkingDir", "StopSignal", "Env"):
        process[name] = changed.get(name) or container.get(name)
    for name in ("ExposedPorts", "Labels", "Volumes"):
        process[name] = {**(container.get(name) or {}), **(changed.get(name) or {})}
    if not changed.get("Entrypoint"):
        process["Entrypoint"] = container.get("Entrypoint")
        if not changed.get("Cmd"):
            process["Cmd"] = container.get("Cmd")
    check, old = changed.get("Healthcheck"), container.get("Healthcheck")
    if check and old:
        process["Healthcheck"] = {**old, **{name: value for name, value in check.items() if value}}
    return process


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
    history = [*(old.get("history") or ()), *repeat(silent, len(base.diff_ids) - base.filled_steps)]
    fields = {
        "architecture": base.platform.architecture,
        "author": step.get("author"),
        "config": process,
        "created": step["created"],
        "history": [*history, {**step, **({} if added else {"empty_layer": True})}],
        "os": base.platform.os,
        "os.features": old.get("os.features"),
        "os.version": old.get("os.version"),
        "rootfs": {"type": "layers", "diff_ids": [*map(str, (*base.diff_ids, *((added,) if added else ())))]},
        "variant": old.get("variant"),
    }
    always = ("config", "rootfs")
    document = {key: value for key, value in fields.items() if value or key in always}
    return image_config.parse(encoded(dumps(document, separators=(",", ":"), ensure_ascii=False)))
