"""Hosts: where a reference can be fetched from, and how each of these places may be spoken to."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Mapping, Sequence

from millefeuille.errors import Denied, Invalid
from millefeuille.oci.reference import HUB, Reference
from millefeuille.registry import daemonjson, registriesconf
from millefeuille.registry.daemonjson import DaemonJson
from millefeuille.registry.registriesconf import Entry
from millefeuille.values import dataclass, field
from millefeuille.wholenumber import whole_number

HUB_ENDPOINT = "registry-1.docker.io"
_BOTH = ("https", "http")


class BlockedRegistry(Denied):
    """registries.conf forbids this registry."""


class BadLocation(Invalid):
    """A configured or given registry name is not a host with a port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One place that serves a repository.

    `host` is host[:port], `repository` the name there; `schemes` are tried in their order. `insecure`
    takes any certificate. `certificates` is a certs.d directory. A mirror is never written to, and may be
    limited to references by tag or by digest.
    """

    host: str
    repository: str
    schemes: tuple[str, ...] = ("https",)
    insecure: bool = False
    certificates: str | None = None
    mirror: bool = False
    by_tag: bool = True
    by_digest: bool = True

    @property
    def account(self) -> str:
        """The registry name under which credentials for this place are kept."""
        return HUB if self.host == HUB_ENDPOINT else self.host


@dataclass(frozen=True, kw_only=True)
class Hosts:
    """The configured registries: entries of registries.conf, daemon.json, directories of certificates."""

    entries: Sequence[Entry] = ()
    daemon: DaemonJson = field(default_factory=DaemonJson)
    certificate_directories: Sequence[str] = ()

    @classmethod
    def load(cls, environment: Mapping[str, str], home: str) -> Hosts:
        """Read registries.conf (CONTAINERS_REGISTRIES_CONF) and daemon.json (MILLE_DAEMON_JSON).

        Raises BadRegistriesConf, BadDaemonJson, InvalidDocument.
        """
        user = environment.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        return cls(
            entries=registriesconf.load(environment, home),
            daemon=daemonjson.load(environment),
            certificate_directories=(
                os.path.join(user, "containers", "certs.d"),
                "/etc/containers/certs.d",
                "/usr/share/containers/certs.d",
                "/etc/docker/certs.d",
                os.path.join(user, "docker", "certs.d"),
            ),
        )

    def endpoints(self, reference: Reference, *, push: bool = False) -> Sequence[Endpoint]:
        """The places to ask for `reference`, in order; the last is the registry itself.

        With `push` that one alone. Raises BlockedRegistry, BadLocation.
        """
        entry = self._entry(str(reference))
        if entry is not None and entry.blocked:
            raise BlockedRegistry(
                f"registry {entry.prefix} is blocked",
                advice="registries.conf says so; `blocked = false` there lifts it.",
            )
        mirrors = [] if push else self._mirrors(reference, entry)
        name = entry.rewrite(reference.name, entry.location) if entry else reference.name
        primary = self._endpoint(name, insecure=entry.insecure if entry else False)
        return (*mirrors, primary)

    def registry(self, registry: str) -> Endpoint:
        """The place where an account at `registry` is checked. Raises BadLocation."""
        return self._endpoint(f"{registry}/", insecure=self._marked(registry))

    def is_insecure(self, host: str) -> bool:
        """True when `host` (host[:port]) may be spoken to without a valid certificate, or in plain HTTP."""
        return host.lower() in self.daemon.insecure or self._in_insecure_network(_without_port(host.lower()))

    def _mirrors(self, reference: Reference, entry: Entry | None) -> list[Endpoint]:
        found = [
            self._endpoint(
                entry.rewrite(reference.name, mirror.location),
                insecure=mirror.insecure,
                mirror=True,
                by_tag=mirror.by_tag,
                by_digest=mirror.by_digest,
            )
            for entry in ([entry] if entry else [])
            for mirror in entry.mirrors
        ]
        if reference.registry == HUB:
            for scheme, host in self.daemon.mirrors:
                name = f"{host}/{reference.repository}"
                found.append(self._endpoint(name, insecure=False, schemes=(scheme,), mirror=True))
        return found

    def _endpoint(
        self,
        name: str,
        *,
        insecure: bool,
        schemes: tuple[str, ...] | None = None,
        mirror: bool = False,
        by_tag: bool = True,
        by_digest: bool = True,
    ) -> Endpoint:
        host, _, repository = name.partition("/")
        host = HUB_ENDPOINT if host == HUB else host
        _, colon, port = host.rpartition("]")[2].rpartition(":")
        if not host or (colon and not 0 < (whole_number(port) or 0) < 1 << 16):
            raise BadLocation(f"{host or name}: not a registry's host name with a port from 1 to 65535")
        insecure = insecure or self.is_insecure(host)
        return Endpoint(
            host=host,
            repository=repository,
            schemes=schemes or (_BOTH if insecure else ("https",)),
            insecure=insecure,
            certificates=None if insecure else self._certificates(host),
            mirror=mirror,
            by_tag=by_tag,
            by_digest=by_digest,
        )

    def _entry(self, name: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.matches(name)), None)

    def _marked(self, registry: str) -> bool:
        entry = self._entry(registry)
        if entry is not None and entry.insecure:
            return True
        return any(entry.insecure and entry.location == registry for entry in self.entries)

    def _certificates(self, host: str) -> str | None:
        names = (HUB, host) if host == HUB_ENDPOINT else (host,)
        for directory in self.certificate_directories:
            for name in names:
                path = os.path.join(directory, name)
                if os.path.isdir(path):
                    return path
        return None

    def _in_insecure_network(self, name: str) -> bool:
        if name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            addresses = [ipaddress.ip_address(name)]
        except ValueError:
            addresses = _addresses(name) if self.daemon.networks else []
        return any(
            address.is_loopback or any(address in network for network in self.daemon.networks)
            for address in addresses
        )


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _addresses(name: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """A name's addresses; Docker, too, resolves names to see whether a network is marked insecure."""
    try:
        found = socket.getaddrinfo(name, None, 0, socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
