"""Acceptance: whether a container can be what Docker's `HostConfig` asks for, decided before it is made."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.errors import Invalid, Unsupported
from millefeuille.runtime import devices, init, limits, namespaces, processdocument

# What other engines take, and what asks for nothing.
_ABSENT: Final = {
    "Annotations": (None, {}),
    "StorageOpt": (None, {}),
    "Cgroup": (None, ""),
    "Isolation": (None, "", "default"),
}


class OptionUnsupported(Unsupported):
    """An option of Docker's that this engine does not have."""


class UnknownRuntime(Invalid):
    """A runtime by a name that nobody gave to one, or one that is not in use here."""


def check(host_config: Mapping[str, Any], *, limited: bool = True, runtime: str = "runc") -> None:
    """Hold that all it asks for is understood, and possible here; `limited`: limits can be set; `runtime` is
    the one in use.

    Raises OptionUnsupported, UnknownRuntime, InvalidLimit, LimitsUnsupported, InvalidUlimit,
    UnknownCapability, InvalidSecurityOption, SecurityUnsupported, InvalidProfile, InvalidDevice,
    InvalidMode, UserNamespaceUnsupported, InitMissing.
    """
    for key, nothing in _ABSENT.items():
        if host_config.get(key) not in nothing:
            raise OptionUnsupported(f"HostConfig.{key} is not supported")
    if (name := host_config.get("Runtime") or "") not in ("", runtime):
        advice = f"Containers on this host are run by {runtime}."
        raise UnknownRuntime(f"unknown or invalid runtime name: {name}", advice=advice)
    limits.check(host_config)
    with contextlib.suppress(limits.NoBlockDevice):  # it may be there by the time of the start
        limits.resources(host_config, settable=limited)
    processdocument.allowed(host_config)
    processdocument.guard(host_config)
    devices.check(host_config)
    namespaces.check(host_config)
    if host_config.get("Init"):
        init.find()
