"""`--network` and the flags about it: the network mode and the endpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.docker.creation.addresses import check_mac
from millefeuille.docker.creation.error import InvalidOption
from millefeuille.later import re
from millefeuille.oci.gotext import quoted
from millefeuille.values import dataclass, field, replace

DEFAULT: Final = "default"
_NO_NETWORKS: Final = (DEFAULT, "bridge", "host", "none")
_LONG: Final = r"\w+=\w+(,\w+=\w+)*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """One network to join, and how."""

    target: str
    aliases: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    ipv4: str = ""
    ipv6: str = ""
    link_local: tuple[str, ...] = ()
    mac: str = ""
    priority: int = 0
    driver_options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """What other flags say about the first network."""

    aliases: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    ipv4: str = ""
    ipv6: str = ""
    link_local: tuple[str, ...] = ()
    mac: str = ""


def is_long(text: str) -> bool:
    """Whether a value of `--network` is made of fields."""
    return "=" in text and re.search(_LONG, text) is not None


def is_user_defined(mode: str) -> bool:
    """Whether a network mode names a network that somebody made."""
    return mode not in _NO_NETWORKS and not mode.startswith("container:")


def attachment(fields: Sequence[str]) -> Attachment:
    """The network that the fields `name=...,alias=...` describe. Raises InvalidOption."""
    found = Attachment(target="")
    for text in fields:
        key, equals, value = text.lower().partition("=")
        if not equals or not key:
            raise InvalidOption(f"invalid field {text}")
        key, value = key.strip(), value.strip()
        if key not in _FIELDS:
            raise InvalidOption(f"invalid field key {key}")
        found = replace(found, **_FIELDS[key](found, value))
    if not found.target:
        raise InvalidOption("network name/id is not specified")
    return found


def endpoints(attachments: Sequence[Attachment], further: Further) -> dict[str, dict[str, Any]]:
    """The member EndpointsConfig. Raises InvalidOption."""
    chosen = list(attachments) or [Attachment(target=DEFAULT)]
    chosen[0] = _with(chosen[0], further)
    found: dict[str, dict[str, Any]] = {}
    for one in chosen:
        settings = _settings(one)
        if one.target in found:
            raise InvalidOption(f"network {quoted(one.target)} is specified multiple times")
        found[one.target] = settings
    if len({is_user_defined(one.target) for one in chosen}) > 1:
        raise InvalidOption(
            "conflicting options: cannot attach both user-defined and non-user-defined network-modes"
        )
    if len(attachments) == 1 and found == {chosen[0].target: _settings(Attachment(target="-"))}:
        return {}
    return dict(sorted(found.items()))


def _with(one: Attachment, further: Further) -> Attachment:
    """The first network with what the older flags say of it; both must not say the same thing."""
    for member, flag, own in _TWICE:
        if getattr(one, member) and getattr(further, member):
            raise InvalidOption(f"conflicting options: cannot specify both {flag} and per-network {own}")
    links = further.links if is_user_defined(one.target) else ()
    return replace(
        one,
        aliases=one.aliases or further.aliases,
        links=one.links or links,
        ipv4=one.ipv4 or further.ipv4,
        ipv6=one.ipv6 or further.ipv6,
        link_local=one.link_local or further.link_local,
        mac=one.mac or further.mac,
    )


def _settings(one: Attachment) -> dict[str, Any]:
    if not one.target.strip():
        raise InvalidOption("no name set for network")
    if one.aliases and not is_user_defined(one.target):
        raise InvalidOption("network-scoped aliases are only supported for user-defined networks")
    if one.mac:
        check_mac(one.mac.strip())
    own = {"IPv4Address": one.ipv4, "IPv6Address": one.ipv6, "LinkLocalIPs": list(one.link_local)}
    return {
        "IPAMConfig": {name: value for name, value in own.items() if value} or None,
        "Links": list(one.links) or None,
        "Aliases": list(one.aliases) or None,
        "MacAddress": one.mac,
        "DriverOpts": dict(sorted(one.driver_options.items())) or None,
        "GwPriority": one.priority,
        "NetworkID": "", "EndpointID": "", "Gateway": "", "IPAddress": "", "IPPrefixLen": 0,
        "IPv6Gateway": "", "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0, "DNSNames": None,
    }  # fmt: skip


def _driver_option(found: Attachment, text: str) -> dict[str, Any]:
    key, equals, value = text.partition("=")
    key, value = key.strip(), value.strip()
    if not equals or not key:
        raise InvalidOption("invalid key value pair format in driver options")
    return {"driver_options": {**found.driver_options, key: value}}


def _priority(found: Attachment, text: str) -> dict[str, Any]:
    if not re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII):
        raise InvalidOption(f"invalid gw-priority ({text}): invalid syntax")
    return {"priority": int(text)}


_FIELDS: Final[dict[str, Callable[[Attachment, str], dict[str, Any]]]] = {
    "name": lambda found, text: {"target": text},
    "alias": lambda found, text: {"aliases": (*found.aliases, text)},
    "ip": lambda found, text: {"ipv4": text},
    "ip6": lambda found, text: {"ipv6": text},
    "mac-address": lambda found, text: {"mac": text},
    "link-local-ip": lambda found, text: {"link_local": (*found.link_local, text)},
    "driver-opt": _driver_option,
    "gw-priority": _priority,
}
_TWICE: Final = (
    ("aliases", "--network-alias", "alias"),
    ("links", "--link", "links"),
    ("ipv4", "--ip", "IPv4 address"),
    ("ipv6", "--ip6", "IPv6 address"),
    ("mac", "--mac-address", "MAC address"),
    ("link_local", "--link-local-ip", "link-local IP addresses"),
)
