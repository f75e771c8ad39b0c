"""Tokens: what a token server gives for a scope.

Source: distribution specification, "Token Authentication" and "OAuth2 Token Authentication".
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from urllib.parse import urlencode, urlsplit

from millefeuille.annotations import Any
from millefeuille.errors import Denied, Failed, Unavailable
from millefeuille.progress import Progress, Warned
from millefeuille.registry import body, realm
from millefeuille.registry.challenge import Challenge
from millefeuille.registry.credential import Credential, octets
from millefeuille.registry.hosts import HUB_ENDPOINT
from millefeuille.registry.redaction import clean, show_url
from millefeuille.registry.transport import Request, Response, abandon
from millefeuille.values import dataclass, field

MAXIMUM_ANSWER = 1 << 20  # bytes
CLIENT_ID = "millefeuille"
_SHORTEST_LIFE = 60.0  # seconds; the specification's default and least

Exchange = Callable[[Request], Response]


class TokenRefused(Denied):
    """The token server does not accept the credentials."""


class BadToken(Failed):
    """The token server answered with something that is not a token."""


class TokenServerFailed(Unavailable):
    """The token server met an error of its own; `words` is the reason alone."""

    passing = True

    def __init__(self, where: str, words: str) -> None:
        super().__init__(f"{where}: {words}")
        self.words = words


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token. `expires` is a time.monotonic() value, `lifetime` in seconds."""

    text: str = field(repr=False)
    expires: float
    lifetime: float
    refresh: str = field(default="", repr=False)


class TokenSource:
    """Fetches tokens for one registry. `exchange` sends one request and follows no redirect."""

    def __init__(self, registry_url: str, exchange: Exchange, progress: Progress) -> None:
        self._registry_url = registry_url
        self._exchange = exchange
        self._progress = progress

    def fetch(
        self,
        challenge: Challenge,
        scopes: Sequence[str],
        credential: Credential | None,
        *,
        offline: bool = False,
    ) -> Token:
        """A token for `scopes`. With `offline` the server is asked for a refresh token as well.

        Raises BadRealm, TokenRefused, BadToken, TokenServerFailed, Unreachable, ForbiddenTarget.
        """
        target = realm.check(challenge.parameters["realm"], self._registry_url)
        if credential is not None and not target.trusted:
            server = show_url(target.url)
            self._progress.report(Warned(message=f"{server} is not the registry's own: no credentials sent"))
            credential = None
        service = challenge.parameters.get("service", "")
        if credential is not None and credential.identity_token:
            response = self._post(target.url, service, scopes, credential.identity_token)
            if response.status not in (400, 401, 404, 405) or not credential.password:
                return _read(target.url, response, self._registry_url)
            abandon(response)
        response = self._get(target.url, service, scopes, credential, offline)
        return _read(target.url, response, self._registry_url)

    def _get(
        self, url: str, service: str, scopes: Sequence[str], credential: Credential | None, offline: bool
    ) -> Response:
        fields: list[tuple[str, str | bytes]] = [("service", service)] if service else []
        fields += [("scope", scope) for scope in scopes]
        headers = {}
        if credential is not None and credential.password:
            fields += [("account", octets(credential.username))]
            headers["Authorization"] = f"Basic {credential.encoded}"
        if offline:
            fields += [("offline_token", "true"), ("client_id", CLIENT_ID)]
        joint = "&" if "?" in url else "?"
        address = url + joint + urlencode(fields) if fields else url
        return self._exchange(Request(method="GET", url=address, headers=headers))

    def _post(self, url: str, service: str, scopes: Sequence[str], refresh: str) -> Response:
        fields = {
            "grant_type": "refresh_token",
            "service": service,
            "client_id": CLIENT_ID,
            "scope": " ".join(scopes),
            "refresh_token": octets(refresh),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._exchange(
            Request(method="POST", url=url, headers=headers, body=urlencode(fields).encode())
        )


def _read(url: str, response: Response, registry_url: str) -> Token:
    where = f'Get "{show_url(url)}"'
    try:
        answer = body.read(response, MAXIMUM_ANSWER)
    except body.BodyTooLarge as error:
        raise BadToken(f"{where}: {error}") from None
    except body.BodyLost as error:
        raise TokenServerFailed(where, str(error)) from None
    if response.status >= 500 or response.status in (408, 429):
        raise TokenServerFailed(where, f"received unexpected HTTP status: {response.status}")
    fields = _fields(answer)
    if response.status in (400, 401, 403):
        raise TokenRefused(f"{where}: unauthorized: {_reason(fields)}", advice=_advice(registry_url))
    text = fields.get("token") or fields.get("access_token")
    if response.status != 200 or not isinstance(text, str):
        raise BadToken(f"{where}: no token in the answer (HTTP status {response.status})")
    if not text.isascii() or not text.isprintable():
        raise BadToken(f"{where}: the token holds characters that no token may hold")
    life, refresh = fields.get("expires_in"), fields.get("refresh_token")
    lifetime = max(_number(life), _SHORTEST_LIFE)
    return Token(
        text=text,
        expires=time.monotonic() + lifetime,
        lifetime=lifetime,
        refresh=refresh if isinstance(refresh, str) and refresh.isprintable() else "",
    )


def _advice(registry_url: str) -> str:
    host = urlsplit(registry_url).netloc
    return "Log in with `mille login`." if host == HUB_ENDPOINT else f"Log in with `mille login {host}`."


def _number(value: object) -> float:
    """A number of seconds that can be believed, else 0."""
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if plain and 0 <= value < 1e9 else 0.0  # type: ignore[arg-type, operator]  # see `plain`


def _fields(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _reason(fields: dict[str, Any]) -> str:
    """Token servers word their refusal in several ways."""
    errors = fields.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        fields = errors[0]
    for key in ("details", "message", "error_description", "error"):
        if isinstance(fields.get(key), str) and fields[key]:
            return clean(fields[key])
    return "authentication required"
