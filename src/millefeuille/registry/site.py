"""Site: one registry host, spoken to with an account, redirects and patience."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from urllib.parse import SplitResult, urljoin, urlsplit

from millefeuille.errors import Denied
from millefeuille.progress import Progress, Retrying
from millefeuille.registry import body, challenge, refusal
from millefeuille.registry.address import Reach
from millefeuille.registry.auth import Authorizer
from millefeuille.registry.credential import Credential
from millefeuille.registry.patience import PASSING, Patience, retry_after
from millefeuille.registry.redaction import show_url
from millefeuille.registry.refusal import Answer
from millefeuille.registry.tls import Tls
from millefeuille.registry.token import TokenServerFailed, TokenSource
from millefeuille.registry.transport import Body, Request, Response, Transport, Unreachable, abandon
from millefeuille.values import dataclass, field

MAXIMUM_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CONNECTS = 3  # attempts where nothing answers
_PROBE = 3.0  # seconds to connect in, where plain HTTP is the second try


class BadRedirect(Denied):
    """A server sends us where we do not follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request to a site. `url` is absolute, or a path on the site."""

    method: str
    url: str
    scopes: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Body | None = field(default=None, repr=False)
    answer_timeout: float | None = None
    attempts: int | None = None
    remaining: float = 30.0  # seconds that a token must still be good for


class Site:
    """One registry host. Safe for threads; nothing is sent before the first `request`."""

    def __init__(
        self,
        host: str,
        schemes: Sequence[str],
        security: Tls,
        *,
        transport: Transport,
        lookup: Callable[[], Credential | None],
        is_insecure: Callable[[str], bool],
        progress: Progress,
        patience: Patience,
    ) -> None:
        self.host = host
        self._schemes = schemes
        self._security = security
        self._transport = transport
        self._lookup = lookup
        self._is_insecure = is_insecure
        self._progress = progress
        self._patience = patience
        self._authorizer: Authorizer | None = None
        self._root = ""
        self._free_at = 0.0
        self._lock = threading.Lock()

    def request(self, call: Call) -> Response:
        """Send `call`, with authorization, following redirects, again when the failure may pass.

        Any answer but a passing failure is returned, its body unread. Raises Unreachable, ForbiddenTarget,
        BadRedirect, NoCredentials, RateLimited, ServerFailed and what fetching a token raises.
        """
        attempts = call.attempts or self._patience.attempts
        attempt = 0
        while True:
            attempt += 1
            self._wait_turn()
            try:
                response = self._authorized(call)
            except (Unreachable, TokenServerFailed) as error:
                if not error.passing or attempt >= min(attempts, _CONNECTS):
                    raise
                self._pause(call, self._patience.delay(attempt), error.words)
                continue
            if response.status not in PASSING or (call.method == "HEAD" and attempt == 1):
                return response
            delay = self._delay(response, attempt)
            if attempt >= attempts or delay is None:
                return response
            reason = f"HTTP status {response.status}"
            finish(response)
            self._pause(call, delay, reason)

    def read(self, call: Call, limit: int) -> tuple[Response, bytes]:
        """An answer and, when its status is 200, its body; asked for again when the body breaks off.

        Raises as `request` does, and BodyLost, BodyTooLarge.
        """
        for attempt in itertools.count(1):
            response = self.request(call)
            if response.status != HTTPStatus.OK:
                return response, b""
            try:
                return response, body.read(response, limit)
            except body.BodyLost as error:
                if attempt >= (call.attempts or self._patience.attempts):
                    raise body.BodyLost(f'Get "{show_url(call.url)}": {error}') from None
                self._pause(call, self._patience.delay(attempt), str(error))
        raise AssertionError("unreachable")

    def root(self) -> str:
        """`scheme://host` of this site; where several schemes are possible, the first that answers."""
        with self._lock:
            if not self._root:
                self._root = self._probe() if len(self._schemes) > 1 else f"{self._schemes[0]}://{self.host}"
            if self._authorizer is None:
                source = TokenSource(self._root, self.exchange, self._progress)
                self._authorizer = Authorizer(self._lookup, source)
                self._authorizer.learn(self._first_challenges)
            return self._root

    def ping(self) -> Response:
        """The answer to `/v2/` without an account, its body done with. Raises Unreachable."""
        response = self.exchange(Request(method="GET", url=f"{self.root()}/v2/"))
        finish(response)
        return response

    def tokens(self) -> TokenSource:
        """Where tokens for this site come from."""
        return TokenSource(self.root(), self.exchange, self._progress)

    def exchange(self, request: Request) -> Response:
        """Send one request as it is; away from this host, under the rules for hosts that it names.

        Raises Unreachable, ForbiddenTarget.
        """
        parts = urlsplit(request.url)
        if _origin(parts) != _origin(urlsplit(self._root)):
            security = Tls(insecure=self._is_insecure(parts.netloc))
            return self._transport.exchange(request, security, self._fence())
        try:
            return self._transport.exchange(request, self._security)
        except Unreachable as error:
            # Docker pings first, so that its users know a failure to connect by the ping's URL.
            raise Unreachable("GET", f"{self._root}/v2/", error.words, passing=error.passing) from None

    _first_challenges: Sequence[str] = ()

    def _probe(self) -> str:
        """The root of the first scheme that answers. Raises the last one's Unreachable."""
        failure: Unreachable | None = None
        for scheme in self._schemes:
            last = scheme == self._schemes[-1]
            root = f"{scheme}://{self.host}"
            request = Request(method="GET", url=f"{root}/v2/", connect_timeout=None if last else _PROBE)
            try:
                response = self._transport.exchange(request, self._security)
            except Unreachable as error:
                failure = error
                continue
            self._first_challenges = response.headers.getlist("WWW-Authenticate")
            finish(response)
            return root
        assert failure is not None
        raise failure

    def _authorized(self, call: Call) -> Response:
        root = self.root()
        url = urljoin(f"{root}/", call.url)
        authorizer = self._authorizer
        assert authorizer is not None
        header = authorizer.header(call.scopes, remaining=call.remaining)
        response, own = self._followed(call, url, header)
        for _ in range(2):
            # What another host asks for is not the business of this one's account.
            if response.status != 401 or not own:
                return response
            challenges = response.headers.getlist("WWW-Authenticate") or self._ping_challenges()
            try:
                again = authorizer.answer(challenges, call.scopes, header)
            except BaseException:
                abandon(response)
                raise
            if again is None or again == header:
                return response
            finish(response)
            header = again
            response, own = self._followed(call, url, header)
        return response

    def _ping_challenges(self) -> Sequence[str]:
        """Some registries challenge on `/v2/` only."""
        return self.ping().headers.getlist("WWW-Authenticate")

    def _followed(self, call: Call, url: str, authorization: str | None) -> tuple[Response, bool]:
        """The answer at the end of all redirects, and whether this host itself gave it."""
        root = _origin(urlsplit(self._root))
        origin = root if _origin(urlsplit(url)) == root else None
        for _ in range(MAXIMUM_REDIRECTS + 1):
            parts = urlsplit(url)
            headers = dict(call.headers)
            if authorization is not None and origin is not None and _origin(parts) == origin:
                headers["Authorization"] = authorization
            request = Request(
                method=call.method,
                url=url,
                headers=headers,
                body=call.body,
                answer_timeout=call.answer_timeout,
            )
            response = self.exchange(request)
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or not location:
                return response, origin is not None
            finish(response)
            if call.method not in ("GET", "HEAD") and response.status not in (307, 308):
                raise BadRedirect(
                    f"{self.host}: redirects a {call.method} request with status {response.status}"
                )
            target = self.target(url, location)
            if _origin(urlsplit(target)) != origin:
                origin = None  # What was left once is not trusted again, even when it redirects back.
            url = target
        raise BadRedirect(f"{self.host}: more than {MAXIMUM_REDIRECTS} redirects")

    def _fence(self) -> Reach:
        return self._transport.reach(urlsplit(self._root).hostname or "")

    def target(self, url: str, location: str) -> str:
        """The absolute URL of a Location, when it is one to follow. Raises BadRedirect."""
        try:
            target = urljoin(url, location)
            parts = urlsplit(target)
            _ = parts.port
        except ValueError as error:
            raise BadRedirect(f"{self.host}: redirects to an invalid URL") from error
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise BadRedirect(f"{self.host}: redirects to {show_url(target)}, which is not followed")
        if parts.scheme == "http" and url.startswith("https:") and not self._security.insecure:
            raise BadRedirect(f"{self.host}: redirects to {show_url(target)}, which is not encrypted")
        return target

    def _delay(self, response: Response, attempt: int) -> float | None:
        """Seconds to wait before the next attempt; None when the server asks for too long a wait."""
        asked = retry_after(response.headers)
        if asked is None:
            return self._patience.delay(attempt)
        if asked > self._patience.longest_wait:
            return None
        if response.status == 429:
            with self._lock:
                self._free_at = max(self._free_at, time.monotonic() + asked)
        return asked

    def _wait_turn(self) -> None:
        """After a 429 every thread that talks to this host waits."""
        wait = self._free_at - time.monotonic()
        if wait > 0:
            self._patience.sleep(wait)

    def _pause(self, call: Call, delay: float, reason: str) -> None:
        self._progress.report(Retrying(what=show_url(call.url), delay=delay, reason=reason))
        self._patience.sleep(delay)


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, (parts.hostname or "").lower(), port


def answer_of(response: Response) -> Answer:
    """What an unwelcome answer says; its body is read up to a limit, and the connection is given back."""
    text = body.read_some(response, refusal.MAXIMUM_BODY)
    return Answer(
        status=response.status,
        body=text,
        challenges=tuple(challenge.parse(response.headers.getlist("WWW-Authenticate"))),
        wait=retry_after(response.headers, text.decode("utf-8", "replace")),
    )


def finish(response: Response) -> None:
    """Give the connection back when little of the body is left, else close it."""
    if response.length_remaining is not None and response.length_remaining <= refusal.MAXIMUM_BODY:
        response.drain_conn()
        response.release_conn()
    else:
        abandon(response)
