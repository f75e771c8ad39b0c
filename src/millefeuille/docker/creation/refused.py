"""What Docker's flags can ask for and this engine cannot give: one table, so that nothing is ignored."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from millefeuille.annotations import Any, Final
from millefeuille.errors import Unsupported
from millefeuille.later import ipaddress

Values = Mapping[str, Any]

_LINK_ADVICE: Final = "Containers on a network of your own find each other by name."


def unsupported(what: str, advice: str | None = None) -> Unsupported:
    """The error about a flag, or a value of it."""
    return Unsupported(f"{what} is not supported", advice=advice)


def check(host_config: Values) -> None:
    """Hold that nothing in a HostConfig is beyond this engine. Raises Unsupported, and names the flag."""
    for flag, found, advice in _TABLE:
        value = found(host_config)
        if value:
            raise unsupported(f"{flag} {value}".rstrip() if isinstance(value, str) else flag, advice)


def check_networks(networking: Values) -> None:
    """The same for a NetworkingConfig. Raises Unsupported."""
    for wish in (networking.get("EndpointsConfig") or {}).values():
        addresses = wish.get("IPAMConfig") or {}
        beyond = (
            ("--ip6", _is_ipv6(addresses.get("IPv6Address") or ""), None),
            ("--link-local-ip", addresses.get("LinkLocalIPs"), None),
            ("--link", wish.get("Links"), _LINK_ADVICE),
            ("--network driver-opt", wish.get("DriverOpts"), None),
        )
        for flag, value, advice in beyond:
            if value:
                raise unsupported(flag, advice)


def _is_ipv6(text: str) -> bool:
    """False for what is no address, too: that is an error of its own."""
    try:
        return bool(text) and ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def _other(member: str, *known: str) -> Callable[[Values], str]:
    """The value of a member that is none of `known`."""
    return lambda host: "" if (host.get(member) or "") in ("", *known) else str(host[member])


def _any(member: str) -> Callable[[Values], bool]:
    return lambda host: bool(host.get(member))


def _log_driver(host: Values) -> str:
    driver = str((host.get("LogConfig") or {}).get("Type") or "")
    return "" if driver in ("", "json-file", "none") else driver


def _log_options(host: Values) -> str:
    """Those of Docker's that are not there: unknown ones are an error of their own."""
    options = (host.get("LogConfig") or {}).get("Config") or {}
    missing = (
        f"{name}={value}"
        for name, value in options.items()
        if name in _LOG_OPTIONS and _LOG_OPTIONS[name](value)
    )
    return next(missing, "")


def _mount_drivers(host: Values) -> str:
    for mount in host.get("Mounts") or ():
        driver = (mount.get("VolumeOptions") or {}).get("DriverConfig", {}).get("Name", "")
        if driver not in ("", "local"):
            return f"volume-driver={driver}"
    return ""


def _mount_types(host: Values) -> str:
    kinds = (str(mount.get("Type")) for mount in host.get("Mounts") or ())
    return next((f"type={kind}" for kind in kinds if kind in ("cluster", "image", "npipe")), "")


def _device_names(host: Values) -> str:
    requests = host.get("DeviceRequests") or ()
    return next((name for request in requests for name in request.get("DeviceIDs") or ("",)), "")


# Docker's options, and whether something would have to be done for their value.
_LOG_OPTIONS: Final[Mapping[str, Callable[[str], bool]]] = {
    "tag": bool,
    "mode": lambda value: value == "non-blocking",
    "max-buffer-size": bool,
    "compress": lambda value: value.lower() not in ("0", "f", "false"),
}
# Flag, what is asked for beyond our means ("" or False: nothing), and what helps.
_TABLE: Final[tuple[tuple[str, Callable[[Values], str | bool], str | None], ...]] = (
    ("--annotation", _any("Annotations"), None),  # runtimes act on some, hooks among them
    ("--device", _device_names, "Name the device's node: --device /dev/..."),
    ("--gpus", _any("DeviceRequests"), "Pass the nodes of the device on with --device."),
    ("--isolation", _other("Isolation", "default"), None),
    ("--link", _any("Links"), _LINK_ADVICE),
    ("--log-driver", _log_driver, "There are json-file and none."),
    ("--log-opt", _log_options, None),
    ("--mount", _mount_types, "There are bind, volume and tmpfs."),
    ("--mount", _mount_drivers, "There is the driver local."),
    ("--runtime", _other("Runtime", "runc", "crun"), "There are runc and crun."),
    ("--storage-opt", _any("StorageOpt"), None),
    ("--volume-driver", _other("VolumeDriver", "local"), "There is the driver local."),
)
