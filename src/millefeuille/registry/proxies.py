"""Proxies: which way out a request takes."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from millefeuille.errors import Invalid
from millefeuille.registry.address import Reach, literal_reach
from millefeuille.registry.credential import Credential
from millefeuille.values import dataclass, field
from millefeuille.wholenumber import whole_number

_BLANK = re.compile(r"[\s\x00-\x1f\x7f]")


class BadProxy(Invalid):
    """A setting names no proxy that can be used. The message quotes nothing of it: it may hold a password."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxies:
    """`by_scheme` maps http and https to a proxy's URL; `direct` is a NO_PROXY list.

    `origins` tells for a scheme which variable its proxy is from.
    """

    by_scheme: Mapping[str, str] = field(default_factory=dict, repr=False)
    direct: str = ""
    origins: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> Proxies:
        """Read HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in either case; a wrong one is told where it is used."""
        found, origins = {}, {}
        for scheme in ("http", "https"):
            names = [f"{scheme}_proxy", f"{scheme.upper()}_PROXY"]
            if scheme == "http" and "REQUEST_METHOD" in environment:
                # A CGI program gets the client's "Proxy" header as HTTP_PROXY.
                names = names[:1]
            name = next((name for name in names if environment.get(name)), None)
            if name is not None:
                value = environment[name]
                found[scheme] = value if "://" in value else f"http://{value}"
                origins[scheme] = name
        direct = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
        return cls(by_scheme=found, direct=direct, origins=origins)

    def way(self, url: str) -> str | None:
        """The proxy's URL for a request to `url`; None for the direct way. Raises BadProxy."""
        parts = urlsplit(url)
        host, proxy = parts.hostname or "", self.by_scheme.get(parts.scheme)
        if not proxy or literal_reach(host) is Reach.LOOPBACK:
            return None
        port = parts.port or (443 if parts.scheme == "https" else 80)
        entries = [entry.strip().lower() for entry in self.direct.split(",")]
        if any(entry and _matches(entry, host.lower(), port) for entry in entries):
            return None
        fault = _fault(proxy)
        if fault:
            raise BadProxy(f"{self.origins.get(parts.scheme, 'proxy')}: {fault}")
        return proxy


def _fault(proxy: str) -> str:
    """Why there can be no such proxy; "" when there can."""
    try:
        parts = urlsplit(proxy)
        whole = bool(parts.hostname) and parts.port != 0 and not _BLANK.search(proxy)
    except ValueError:
        return "not the URL of an HTTP proxy"
    if parts.scheme.startswith("socks"):
        return "SOCKS proxies are not supported, only those that speak HTTP"
    return "" if whole and parts.scheme in ("http", "https") else "not the URL of an HTTP proxy"


def credentials_of(proxy: str) -> Credential | None:
    """The account in a proxy's URL, decoded; None without."""
    parts = urlsplit(proxy)
    if parts.username is None:
        return None
    return Credential(
        username=unquote(parts.username, errors="surrogateescape"),
        password=unquote(parts.password or "", errors="surrogateescape"),
    )


def _matches(entry: str, host: str, port: int) -> bool:
    """One NO_PROXY entry: `*`, an address, a network, a domain (with its sub-domains), each with a port."""
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        pass
    name, colon, wanted = entry.rpartition(":")
    if colon and wanted.isdecimal():
        if whole_number(wanted) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*")
    if entry.startswith("."):
        return host.endswith(entry)
    return host == entry or host.endswith(f".{entry}")
