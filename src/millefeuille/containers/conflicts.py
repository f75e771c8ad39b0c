"""What the members of a request to make a container say against each other, or against Docker's rules.

Source: moby v28.2.2, daemon/container.go `verifyContainerSettings`, runconfig/hostconfig_unix.go,
api/types/container/hostconfig.go `ValidateRestartPolicy`.
"""

from __future__ import annotations

from collections.abc import Mapping

from millefeuille.annotations import Any, Final
from millefeuille.containers import logoptions
from millefeuille.errors import Invalid
from millefeuille.networks import ends
from millefeuille.oci.signals import signal_number

_LEAST_TIME: Final = 1_000_000  # nanoseconds
_JOIN: Final = "container:"
_BUILT_IN: Final = ("none", "host", "bridge", "default")  # networks that are not joined beside others
_POLICIES: Final = ("no", "always", "on-failure", "unless-stopped")


class Conflicting(Invalid):
    """The request cannot be granted; the message is Docker's."""


def check_networks(endpoints: Mapping[str, Mapping[str, Any]]) -> None:
    """Hold that a container can be on all networks of an EndpointsConfig. Raises Conflicting, BadEndpoint."""
    for wish in endpoints.values():
        ends.check_addresses(wish or {})
    names = endpoints.keys()
    if len(names) > 1 and all(name in _BUILT_IN for name in names):
        listed = ", ".join(sorted(names))
        raise Conflicting(f"Container cannot be connected to network endpoints: {listed}")


def check(config: Mapping[str, Any], host_config: Mapping[str, Any]) -> None:
    """Hold that a request agrees with itself. `config` is what was asked for, without the image's part.

    Raises Conflicting, InvalidSignal.
    """
    directory = str(config.get("WorkingDir") or "")
    if directory and not directory.startswith("/"):
        raise Conflicting(
            f"the working directory '{directory}' is invalid, it needs to be an absolute path"
        )  # fmt: skip
    _check_health(config.get("Healthcheck") or {})
    logoptions.check(host_config)
    if config.get("StopSignal"):
        signal_number(str(config["StopSignal"]))
    policy = host_config.get("RestartPolicy") or {}
    check_restart_policy(policy)
    if host_config.get("AutoRemove") and policy.get("Name") not in (None, "", "no"):
        raise Conflicting("can't create 'AutoRemove' container with restart policy")
    _check_network(config, host_config)


def _check_health(health: Mapping[str, Any]) -> None:
    for name in ("Interval", "Timeout", "StartPeriod", "StartInterval"):
        if health.get(name) and health[name] < _LEAST_TIME:
            raise Conflicting(f"{name} in Healthcheck cannot be less than 1ms")
    if (health.get("Retries") or 0) < 0:
        raise Conflicting("Retries in Healthcheck cannot be negative")


def check_restart_policy(policy: Mapping[str, Any]) -> None:
    """Raise Conflicting for a restart policy that there is not."""
    name, count = policy.get("Name") or "", int(policy.get("MaximumRetryCount") or 0)
    wrong = "invalid restart policy: "
    if name and name not in _POLICIES:
        choice = "', '".join(_POLICIES[:-1])
        raise Conflicting(f"{wrong}unknown policy '{name}'; use one of '{choice}', or '{_POLICIES[-1]}'")
    if name == "on-failure":
        if count < 0:
            raise Conflicting(f"{wrong}maximum retry count cannot be negative")
    elif name and count:
        negative = " and cannot be negative" if count < 0 else ""
        raise Conflicting(f"{wrong}maximum retry count can only be used with 'on-failure'{negative}")


def _check_network(config: Mapping[str, Any], host_config: Mapping[str, Any]) -> None:
    """Hold that a container which joins another's network asks for none of its own."""
    if host_config.get("UTSMode") == "host" and config.get("Hostname"):
        raise Conflicting("conflicting options: hostname and the UTS mode")
    mode = str(host_config.get("NetworkMode") or "")
    if not mode.startswith(_JOIN):
        return
    if mode == _JOIN:
        raise Conflicting("invalid network mode: invalid container format container:<name|id>")
    asked = (
        (config.get("Hostname"), "hostname and the network mode"),
        (host_config.get("Dns"), "dns and the network mode"),
        (host_config.get("ExtraHosts"), "custom host-to-IP mapping and the network mode"),
        (
            host_config.get("PortBindings") or host_config.get("PublishAllPorts"),
            "port publishing and the container type network mode",
        ),
        (config.get("ExposedPorts"), "port exposing and the container type network mode"),
    )
    for value, what in asked:
        if value:
            raise Conflicting(f"conflicting options: {what}")
