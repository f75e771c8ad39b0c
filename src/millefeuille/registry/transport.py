"""One HTTP exchange: a request out, the head of its answer back. No redirects, no retries, no accounts."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from http.client import IncompleteRead
from urllib.parse import urlsplit

import urllib3
from urllib3 import exceptions as http

from millefeuille import __version__
from millefeuille.annotations import Any
from millefeuille.errors import Denied, Unavailable
from millefeuille.registry import connection, tls
from millefeuille.registry.address import Reach, literal_reach, permits
from millefeuille.registry.dial import Dialer, DialError, Forbidden
from millefeuille.registry.patience import Patience
from millefeuille.registry.proxies import Proxies, credentials_of
from millefeuille.registry.redaction import clean, show_url
from millefeuille.values import dataclass, field

USER_AGENT = f"millefeuille/{__version__}"
SEND_CHUNK = 256 << 10  # bytes
_IDLE_CONNECTIONS = 16

Response = urllib3.BaseHTTPResponse
Body = bytes | Callable[[], Iterable[bytes]]


class Unreachable(Unavailable):
    """No answer. `passing` tells whether trying again may help; `words` is the reason alone."""

    def __init__(self, method: str, url: str, words: str, *, passing: bool) -> None:
        super().__init__(f'{method.capitalize()} "{show_url(url)}": {words}')
        self.words = words
        self.passing = passing

    def at(self, url: str) -> Unreachable:
        """The same for a URL that may be shown with its query."""
        moved = Unreachable("GET", url, self.words, passing=self.passing)
        moved.args = (f'Get "{url}": {self.words}',)
        return moved


class ForbiddenTarget(Denied):
    """A registry tried to send us to an address that it may not name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to send. `body` is bytes, or makes its chunks anew at each call. Times in seconds."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Body | None = field(default=None, repr=False)
    answer_timeout: float | None = None
    connect_timeout: float | None = None


class Transport:
    """Pools of connections, shared by all threads."""

    def __init__(self, proxies: Proxies, patience: Patience) -> None:
        self._proxies = proxies
        self._patience = patience
        self._managers: dict[tuple[Any, ...], urllib3.PoolManager] = {}
        self._open_dialer = Dialer()
        self._lock = threading.Lock()

    def reach(self, host: str) -> Reach:
        """How far away the registry `host` (without port) is; public until a connection tells."""
        return literal_reach(host) or self._open_dialer.reaches.get(host) or Reach.PUBLIC

    def exchange(self, request: Request, security: tls.Tls, fence: Reach | None = None) -> Response:
        """Send `request`; the body of the answer is not read yet.

        `fence` is the reach of the registry that named this URL, None when a person did. Raises
        Unreachable, ForbiddenTarget, BadProxy, BadCertificates.
        """
        literal = literal_reach(urlsplit(request.url).hostname or "")
        if fence is not None and literal is not None and not permits(fence, literal):
            raise _forbidden(request.url, literal)
        try:
            return self._manager(request.url, security, fence).urlopen(
                request.method,
                request.url,
                body=request.body() if callable(request.body) else request.body,
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **request.headers},
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
                timeout=self._timeout(request),
            )
        except Forbidden as error:
            raise ForbiddenTarget(f"{show_url(request.url)}: {error}") from None
        except (DialError, http.HTTPError, OSError) as error:
            words, passing = describe(error)
            raise Unreachable(request.method, request.url, words, passing=passing) from None

    def _timeout(self, request: Request) -> urllib3.Timeout:
        return urllib3.Timeout(
            connect=request.connect_timeout or self._patience.connect,
            read=request.answer_timeout or self._patience.answer,
        )

    def close(self) -> None:
        """Close idle connections."""
        for manager in self._managers.values():
            manager.clear()

    def _manager(self, url: str, security: tls.Tls, fence: Reach | None) -> urllib3.PoolManager:
        proxy = self._proxies.way(url)
        # A proxy resolves names itself, and its own address is the user's choice.
        fence = None if proxy else fence
        secure = url.startswith("https:")
        key = (security if secure else None, fence, proxy)
        with self._lock:
            found = self._managers.get(key)
            if found is None:
                dialer = Dialer(fence) if fence is not None else self._open_dialer
                options: dict[str, Any] = {"maxsize": _IDLE_CONNECTIONS, "blocksize": SEND_CHUNK}
                if secure:
                    options["ssl_context"] = tls.context(security)
                if proxy and (account := credentials_of(proxy)):
                    options["proxy_headers"] = {"proxy-authorization": f"Basic {account.encoded}"}
                found = self._managers[key] = connection.manager(dialer, proxy, **options)
            return found


def abandon(response: Response) -> None:
    """Close an answer whose end nobody reads, and its connection, which urllib3 leaves open in places."""
    connection = response.connection
    response.close()
    if connection is not None:
        connection.close()


def _forbidden(url: str, reach: Reach) -> ForbiddenTarget:
    return ForbiddenTarget(
        f"{show_url(url)}: refused to connect to {urlsplit(url).hostname}, a {reach.value} address"
    )


def describe(error: BaseException) -> tuple[str, bool]:
    """Go's words for a failed connection, and whether trying again may help."""
    if isinstance(error, DialError):
        return str(error), error.passing
    if isinstance(error, http.ProxyError):
        return f"proxyconnect tcp: {describe(error.original_error)[0]}", True
    if isinstance(error, http.SSLError):
        return _tls_words(error.args[0] if error.args else error)
    if isinstance(error, http.ConnectTimeoutError):
        return "net/http: TLS handshake timeout", True
    if isinstance(error, (http.TimeoutError, TimeoutError)):
        return "net/http: timeout awaiting response headers", True
    cause = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], Exception) else error
    if isinstance(cause, ConnectionResetError) and type(cause) is ConnectionResetError:
        return "read: connection reset by peer", True
    if isinstance(cause, IncompleteRead):
        return "unexpected EOF", True
    if isinstance(cause, (ConnectionError, http.ProtocolError)):
        return "EOF", True
    if isinstance(error, http.LocationParseError):
        return "invalid URL", False
    return clean(str(cause)) or type(cause).__name__, True


def _tls_words(error: BaseException) -> tuple[str, bool]:
    reason = getattr(error, "reason", "") or ""
    if isinstance(error, ssl.SSLCertVerificationError):
        if "unable to get" in error.verify_message or "self-signed" in error.verify_message.replace(" ", "-"):
            return "tls: failed to verify certificate: x509: certificate signed by unknown authority", False
        return f"tls: failed to verify certificate: x509: {clean(error.verify_message)}", False
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"):
        return "http: server gave HTTP response to HTTPS client", False
    if isinstance(error, ssl.SSLEOFError):
        return "EOF", True
    return f"tls: {clean(str(reason or error)).lower().replace('_', ' ')}", False
