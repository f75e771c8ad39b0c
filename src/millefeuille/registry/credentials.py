"""Credentials: who we are at a registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A user with a password, or an identity token (refresh token), or a bearer token."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)


class Credentials:
    """The stored credentials of one user."""

    @classmethod
    def load(cls, environment: Mapping[str, str], home: str) -> Credentials:
        """Nothing is read before the first lookup."""
        return cls()

    def lookup(self, registry: str) -> Credential | None:
        """The credential for `registry` (docker.io, host[:port]); None when there is none."""
        return None
