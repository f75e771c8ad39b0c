"""daemon.json: the mirrors of Docker Hub and the insecure registries that Docker is configured with."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from millefeuille.errors import Invalid
from millefeuille.oci.strictjson import parse_object
from millefeuille.registry.redaction import clean, show_url
from millefeuille.values import dataclass

DEFAULT_PATH = "/etc/docker/daemon.json"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class BadDaemonJson(Invalid):
    """A daemon.json cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonJson:
    """`mirrors` are (scheme, host[:port]); `insecure` holds host[:port] names, `networks` the rest."""

    mirrors: tuple[tuple[str, str], ...] = ()
    insecure: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()


def load(environment: Mapping[str, str]) -> DaemonJson:
    """Read daemon.json, or the file that MILLE_DAEMON_JSON names. Raises BadDaemonJson, InvalidDocument."""
    chosen = environment.get("MILLE_DAEMON_JSON")
    path = chosen or DEFAULT_PATH
    try:
        with open(path, "rb") as stream:
            raw = stream.read()
    except FileNotFoundError:
        if chosen:
            raise BadDaemonJson(f"{path}: no such file") from None
        return DaemonJson()
    except PermissionError:
        return DaemonJson()  # Docker's own file may be closed to ordinary users.
    except OSError as error:
        raise BadDaemonJson(f"{path}: {error.strerror}") from error
    fields = parse_object(raw, path) if raw.strip() else {}
    names, networks = set(), []
    for text in _strings(fields.get("insecure-registries"), "insecure-registries", path):
        name = text.partition("://")[2] or text
        try:
            networks.append(ipaddress.ip_network(name, strict=False))
        except ValueError:
            names.add(name.rstrip("/").lower())
    mirrors = _strings(fields.get("registry-mirrors"), "registry-mirrors", path)
    return DaemonJson(
        mirrors=tuple(_mirror(text, path) for text in mirrors),
        insecure=frozenset(names),
        networks=tuple(networks),
    )


def _mirror(text: str, path: str) -> tuple[str, str]:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        valid = False
    if not valid:
        raise BadDaemonJson(f"{path}: invalid mirror: {show_url(text)!r} is not an http or https URL")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username is not None:
        raise BadDaemonJson(f"{path}: invalid mirror: path, query, user or fragment in {show_url(text)!r}")
    return parts.scheme, parts.netloc


def _strings(value: object, key: str, path: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise BadDaemonJson(f"{path}: {clean(key)} must be a list of strings")
    return value
