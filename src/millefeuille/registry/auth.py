"""Authorizer: what to put into the Authorization header for one registry.

Source: distribution specification, token authentication; the order of steps is that of the specification
of challenges in RFC 9110. Credentials are looked up once, and only after the registry asked for them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence

from millefeuille.registry import challenge
from millefeuille.registry.challenge import Challenge
from millefeuille.registry.credential import Credential
from millefeuille.registry.token import Token, TokenSource
from millefeuille.values import dataclass, field

_EARLY = 30.0  # seconds before its end that a token is replaced


class NoCredentials(Exception):
    """The registry asks for a password, and none is stored."""


@dataclass(slots=True)
class _State:
    challenge: Challenge | None = None
    tokens: dict[frozenset[str], Token] = field(default_factory=dict)
    credential: Credential | None = None
    looked_up: bool = False


class Authorizer:
    """The account at one registry. Safe for threads: many requests wait for one token."""

    def __init__(self, lookup: Callable[[], Credential | None], tokens: TokenSource) -> None:
        self._lookup = lookup
        self._source = tokens
        self._state = _State()
        self._lock = threading.Lock()

    def credential(self) -> Credential | None:
        """The stored credential, looked up once."""
        if not self._state.looked_up:
            self._state.credential = self._lookup()
            self._state.looked_up = True
        return self._state.credential

    def learn(self, headers: Iterable[str]) -> None:
        """Remember how the registry wants to be asked."""
        found = Authorizer.choose(challenge.parse(headers))
        if found is not None:
            with self._lock:
                self._state.challenge = self._state.challenge or found

    def header(self, scopes: Sequence[str], *, remaining: float = _EARLY) -> str | None:
        """The header for a request that needs `scopes`, for at least `remaining` seconds; None for none yet.

        Raises what fetching a token raises; never asks for a password that the registry did not demand.
        """
        with self._lock:
            known = self._state.challenge
            if known is None:
                return None
            if known.scheme == "basic":
                credential = self.credential()
                return self.basic(credential) if credential and credential.password else None
            return self._bearer(known, frozenset(scopes), scopes, remaining)

    def answer(self, headers: Iterable[str], scopes: Sequence[str], rejected: str | None) -> str | None:
        """The header to try after a 401 with these challenges; None when there is nothing better to say.

        Raises NoCredentials when a password is needed, and what fetching a token raises.
        """
        found = Authorizer.choose(challenge.parse(headers))
        with self._lock:
            found = found or self._state.challenge
            if found is None:
                return None
            self._state.challenge = found
            if found.scheme == "basic":
                return self._basic_answer(rejected)
            key = frozenset(scopes)
            held = self._state.tokens.get(key)
            if held is not None and f"Bearer {held.text}" == rejected:
                del self._state.tokens[key]
            extra = found.parameters.get("scope", "").split()
            wanted = [*scopes, *(scope for scope in extra if scope not in scopes)]
            return self._bearer(found, key, wanted, _EARLY)

    @staticmethod
    def choose(challenges: Sequence[Challenge]) -> Challenge | None:
        """The challenge to answer: the first Bearer with a realm, else the first Basic."""
        for scheme in ("bearer", "basic"):
            for candidate in challenges:
                if candidate.scheme == scheme and (scheme == "basic" or candidate.parameters.get("realm")):
                    return candidate
        return None

    @staticmethod
    def basic(credential: Credential) -> str:
        """The header of Basic authentication (RFC 7617)."""
        return f"Basic {credential.encoded}"

    def _basic_answer(self, rejected: str | None) -> str | None:
        credential = self.credential()
        if credential is None or not credential.password:
            raise NoCredentials
        header = self.basic(credential)
        return None if header == rejected else header

    def _bearer(self, known: Challenge, key: frozenset[str], wanted: Sequence[str], remaining: float) -> str:
        credential = self.credential()
        if credential is not None and credential.registry_token:
            return f"Bearer {credential.registry_token}"
        held = self._state.tokens.get(key)
        now = time.monotonic()
        if held is None or held.expires - now < min(remaining, held.lifetime / 5):
            held = self._source.fetch(known, wanted, credential)
            self._state.tokens[key] = held
        return f"Bearer {held.text}"
