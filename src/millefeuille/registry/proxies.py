"""Proxies: which way out a request takes."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from millefeuille.registry.address import Reach, literal_reach
from millefeuille.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxies:
    """`by_scheme` maps http and https to a proxy's URL; `direct` is a NO_PROXY list."""

    by_scheme: Mapping[str, str] = field(default_factory=dict, repr=False)
    direct: str = ""

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> Proxies:
        """Read HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in either case."""
        found = {}
        for scheme in ("http", "https"):
            value = environment.get(f"{scheme}_proxy") or environment.get(f"{scheme.upper()}_PROXY")
            if scheme == "http" and "REQUEST_METHOD" in environment:
                # A CGI program gets the client's "Proxy" header as HTTP_PROXY.
                value = environment.get("http_proxy")
            if value:
                found[scheme] = value if "://" in value else f"http://{value}"
        direct = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
        return cls(by_scheme=found, direct=direct)

    def way(self, url: str) -> str | None:
        """The proxy's URL for a request to `url`; None for the direct way."""
        parts = urlsplit(url)
        host, proxy = parts.hostname or "", self.by_scheme.get(parts.scheme)
        if not proxy or literal_reach(host) is Reach.LOOPBACK:
            return None
        port = parts.port or (443 if parts.scheme == "https" else 80)
        entries = [entry.strip().lower() for entry in self.direct.split(",")]
        if any(entry and _matches(entry, host.lower(), port) for entry in entries):
            return None
        return proxy


def credentials_of(proxy: str) -> str | None:
    """`user:password` from a proxy's URL, decoded; None without."""
    parts = urlsplit(proxy)
    if parts.username is None:
        return None
    return f"{unquote(parts.username)}:{unquote(parts.password or '')}"


def _matches(entry: str, host: str, port: int) -> bool:
    """One NO_PROXY entry: `*`, an address, a network, a domain (with its sub-domains), each with a port."""
    if entry == "*":
        return True
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        pass
    name, colon, wanted = entry.rpartition(":")
    if colon and wanted.isdigit() and "]" not in wanted:
        if int(wanted) != port:
            return False
        entry = name
    entry = entry.strip("[]").removeprefix("*")
    if entry.startswith("."):
        return host.endswith(entry)
    return host == entry or host.endswith(f".{entry}")
