"""The config of a finished build: equal states give equal bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.build.outputs.finished import Finished
from millefeuille.build.outputs.history import history, last_moment
from millefeuille.oci import config as image_config
from millefeuille.oci.config import ImageConfig
from millefeuille.oci.gotext import encoded
from millefeuille.oci.moment import rfc3339

DEFAULT_PATH: Final = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# The order of Docker's own structure; what else there is comes behind, sorted.
_ORDER: Final = (
    "User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal",
    "ArgsEscaped", "Healthcheck", "OnBuild", "StopTimeout", "Shell",
)  # fmt: skip
_INHERITED: Final = ("os.version", "os.features")


def described(finished: Finished, labels: Mapping[str, str] | None = None) -> ImageConfig:
    """The config of a finished build, with `labels` over its own. Raises InvalidConfig."""
    told = history(finished)
    epoch = finished.epoch
    platform, base = finished.platform, finished.base
    fields = {
        "architecture": platform.architecture,
        "author": finished.author or base.get("author"),
        "config": _process(finished, labels or {}),
        "created": last_moment(told) if epoch is None else rfc3339(epoch * 1_000_000_000),
        "history": told,
        "os": platform.os,
        **{key: base.get(key) for key in _INHERITED},
        "rootfs": {"type": "layers", "diff_ids": [str(layer.diff_id) for layer in finished.layers]},
        "variant": platform.variant,
    }
    document = {key: value for key, value in sorted(fields.items()) if value or key in ("config", "rootfs")}
    config = image_config.parse(encoded(json.dumps(document, separators=(",", ":"), ensure_ascii=False)))
    image_config.check_layers(config, len(finished.layers), "the build's result")
    return config


def _process(finished: Finished, labels: Mapping[str, str]) -> Mapping[str, Any]:
    fields = dict(finished.process)
    env = list(fields.get("Env") or ())
    if finished.platform.os != "windows" and not any(item.startswith("PATH=") for item in env):
        env.append(DEFAULT_PATH)
    fields["Env"] = env
    fields["Labels"] = {**(fields.get("Labels") or {}), **labels}
    known = {key: _sorted(fields[key]) for key in _ORDER if _is_said(fields.get(key))}
    others = {key: _sorted(fields[key]) for key in sorted({*fields} - {*_ORDER}) if _is_said(fields[key])}
    return known | others


def _is_said(value: object) -> bool:
    """An empty Cmd or Entrypoint list is no more said than an absent one."""
    return bool(value)


def _sorted(value: object) -> object:
    """Sets and maps (ports, volumes, labels) in the order of their keys; a healthcheck keeps its own."""
    if isinstance(value, dict) and "Test" not in value:
        return {key: value[key] for key in sorted(value)}
    return value
