"""Registries: the way to every registry, with one set of connections and accounts."""

from __future__ import annotations

import threading
from functools import partial

from millefeuille.errors import MilleError
from millefeuille.oci.reference import Reference
from millefeuille.progress import Progress, Warned
from millefeuille.registry.credential import Credential
from millefeuille.registry.credentials import Credentials
from millefeuille.registry.hosts import Endpoint, Hosts
from millefeuille.registry.login import login
from millefeuille.registry.patience import Patience
from millefeuille.registry.proxies import Proxies
from millefeuille.registry.repository import Repository
from millefeuille.registry.search import Found, search, split_term
from millefeuille.registry.site import Site
from millefeuille.registry.tls import Tls
from millefeuille.registry.transport import Transport


class Registries:
    """All registries. Making one does no I/O; connections are shared by all its repositories and threads."""

    def __init__(
        self,
        hosts: Hosts,
        credentials: Credentials,
        progress: Progress,
        *,
        proxies: Proxies | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._hosts = hosts
        self._credentials = credentials
        self._progress = progress
        self._patience = patience or Patience()
        self._transport = Transport(proxies or Proxies(), self._patience)
        self._sites: dict[tuple[object, ...], Site] = {}
        self._lock = threading.Lock()

    def repository(self, reference: Reference, *, push: bool = False) -> Repository:
        """The repository of `reference`; with `push`, to be written to: mirrors are left out.

        Raises BlockedRegistry.
        """
        endpoints = self._hosts.endpoints(reference, push=push)
        places = [(endpoint, self._site(endpoint)) for endpoint in endpoints]
        return Repository(reference, places, progress=self._progress, patience=self._patience, writing=push)

    def login(self, registry: str, credential: Credential) -> Credential:
        """The credential to keep for `registry` (docker.io, host[:port]), checked there.

        Raises LoginFailed, TokenRefused, BadRealm, Unreachable, BadLocation.
        """
        return login(self._site(self._hosts.registry(registry)), credential)

    def search(self, term: str, *, limit: int = 25) -> tuple[Found, ...]:
        """Repositories that an index (Docker Hub's, or `host/` before the term) lists for `term`.

        Raises SearchFailed, Unreachable, BadLocation.
        """
        host, wanted = split_term(term)
        return search(self._transport, self._hosts.registry(host), wanted, limit)

    def close(self) -> None:
        """Close idle connections."""
        self._transport.close()

    def _site(self, endpoint: Endpoint) -> Site:
        security = Tls(insecure=endpoint.insecure, certificates=endpoint.certificates)
        key = (endpoint.host, endpoint.repository, endpoint.schemes, security)
        with self._lock:
            found = self._sites.get(key)
            if found is None:
                found = self._sites[key] = Site(
                    endpoint.host,
                    endpoint.schemes,
                    security,
                    transport=self._transport,
                    lookup=partial(self._lookup, endpoint),
                    is_insecure=self._hosts.is_insecure,
                    progress=self._progress,
                    patience=self._patience,
                )
            return found

    def _lookup(self, endpoint: Endpoint) -> Credential | None:
        """The stored credential. A broken keychain must not stop what needs no account, as in Docker."""
        try:
            return self._credentials.lookup(endpoint.account, endpoint.repository)
        except MilleError as error:
            self._progress.report(Warned(message=str(error)))
            return None
