"""Credentials: every place where a user's accounts at registries are kept, in the order they are asked."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence

from millefeuille.errors import Failed
from millefeuille.files import explain
from millefeuille.registry import authfile
from millefeuille.registry.authfile import AuthFile
from millefeuille.registry.credential import Credential
from millefeuille.values import dataclass

__all__ = ["Credential", "Credentials", "Stored"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Where a credential went. `plain` tells that it lies there unencrypted."""

    path: str
    plain: bool


class Credentials:
    """The accounts of one user. Nothing is read before the first lookup.

    Order: DOCKER_AUTH_CONFIG; REGISTRY_AUTH_FILE, or else the auth.json of the containers tools; Docker's
    config.json (DOCKER_CONFIG); ~/.dockercfg.
    """

    def __init__(self, variable: str, auth_files: Sequence[AuthFile], default: AuthFile) -> None:
        self._variable = variable
        self._files = auth_files
        self._default = default
        self._known: dict[tuple[str, str], Credential | None] = {}
        self._lock = threading.Lock()

    @classmethod
    def load(cls, environment: Mapping[str, str], home: str) -> Credentials:
        """The places that `environment` names."""
        user = environment.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        runtime = environment.get("XDG_RUNTIME_DIR")
        chosen = environment.get("REGISTRY_AUTH_FILE")
        directories = [os.path.join(runtime, "containers")] if runtime else []
        directories.append(os.path.join(user, "containers"))
        paths = [chosen] if chosen else [os.path.join(directory, "auth.json") for directory in directories]
        docker = environment.get("DOCKER_CONFIG") or os.path.join(home, ".docker")
        found = [AuthFile(path=path, environment=environment, docker=False) for path in paths]
        config = AuthFile(path=os.path.join(docker, "config.json"), environment=environment)
        found.append(config)
        legacy = os.path.join(home, ".dockercfg")
        found.append(AuthFile(path=legacy, environment=environment, legacy=True))
        default = found[0] if chosen else config
        return cls(environment.get("DOCKER_AUTH_CONFIG", ""), found, default)

    def lookup(self, registry: str, repository: str = "") -> Credential | None:
        """The credential for a repository at `registry` (docker.io, host[:port]); None when there is none.

        Raises BadAuthFile, HelperFailed.
        """
        key = (registry, repository)
        with self._lock:
            if key not in self._known:
                self._known[key] = self._search(registry, repository)
            return self._known[key]

    def store(self, registry: str, credential: Credential) -> Stored:
        """Keep `credential`: where the registry is known already, else in Docker's config.json.

        Raises BadAuthFile, HelperFailed, Failed.
        """
        target = next((held for held in self._writable() if held.holds(registry)), self._default)
        self._forget()
        try:
            return Stored(path=target.path, plain=target.store(registry, credential))
        except OSError as error:
            raise explain(error, target.path) from error

    def erase(self, registry: str) -> bool:
        """Forget the credential for `registry` everywhere; True when there was one.

        Raises BadAuthFile, HelperFailed, Failed.
        """
        self._forget()
        try:
            erased = [held.erase(registry) for held in self._writable()]
        except OSError as error:
            raise Failed(f"credentials of {registry}: {error.strerror}") from error
        return any(erased)

    def _writable(self) -> list[AuthFile]:
        return [held for held in self._files if not held.legacy]

    def _forget(self) -> None:
        with self._lock:
            self._known.clear()

    def _search(self, registry: str, repository: str) -> Credential | None:
        if self._variable:
            auths = authfile.from_variable(self._variable)
            found = authfile.find(auths, registry, repository, "DOCKER_AUTH_CONFIG")
            if found is not None:
                return found
        for held in self._files:
            found = held.lookup(registry, repository)
            if found is not None:
                return found
        return None
