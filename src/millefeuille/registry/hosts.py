"""Hosts: where a reference can be fetched from, and how each of these places may be spoken to."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from millefeuille.oci.reference import HUB, Reference

HUB_ENDPOINT = "registry-1.docker.io"


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


class Hosts:
    """The configured registries."""

    @classmethod
    def load(cls, environment: Mapping[str, str], home: str) -> Hosts:
        """Read registries.conf and daemon.json."""
        return cls()

    def endpoints(self, reference: Reference, *, push: bool = False) -> Sequence[Endpoint]:
        """The places to ask for `reference`, in order; the last is the registry itself."""
        host = HUB_ENDPOINT if reference.registry == HUB else reference.registry
        insecure = self.is_insecure(host)
        return (
            Endpoint(
                host=host,
                repository=reference.repository,
                schemes=("https", "http") if insecure else ("https",),
                insecure=insecure,
            ),
        )

    def is_insecure(self, host: str) -> bool:
        """True when `host` (host[:port]) may be spoken to without a valid certificate, or in plain HTTP."""
        return _is_loopback(_without_port(host))


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
