"""Download: what lies at an HTTP URL, in a file.

A person named the URL, in a Dockerfile or on the command line, and it may lie anywhere; where its server
sends us is bounded as for registries: nobody far away sends us into this network, and an account is told to
nobody but the host that it is for.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import posixpath
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from urllib.parse import SplitResult, unquote, urldefrag, urljoin, urlsplit

from urllib3 import exceptions as http

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.errors import Corrupt, Denied, Failed, Invalid, Unavailable
from millefeuille.oci.digest import Digest
from millefeuille.registry.address import Reach
from millefeuille.registry.patience import PASSING, Patience, retry_after
from millefeuille.registry.redaction import show_url
from millefeuille.registry.tls import Tls
from millefeuille.registry.transport import Request, Response, Transport, Unreachable, abandon, describe
from millefeuille.values import dataclass

MAXIMUM: Final = 50 << 30  # bytes
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_HOPS: Final = 10
_CHUNK: Final = 256 << 10  # bytes
_SECRETS: Final = ("Authorization", "Cookie")
_UNNAMED: Final = "__unnamed__"


class BadUrl(Invalid):
    """A text is no URL."""


class BadAnswer(Failed):
    """A server does not give what a URL names."""


class LostDownload(Unavailable):
    """A transfer broke off again and again."""


class TooLarge(Failed):
    """What a URL names is larger than any build needs."""


class ChecksumMismatch(Corrupt):
    """What a URL names is not what was expected."""


class BadRedirect(Denied):
    """A server sends us where we do not go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """What was fetched. `modified` is in seconds since 1970, where the server says it; `etag` "" without."""

    path: str
    name: str
    size: int
    digest: Digest
    modified: int | None
    etag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the server said of an earlier download of the same."""

    etag: str = ""
    modified: str = ""


class Downloads:
    """Fetches. Safe for threads."""

    def __init__(self, transport: Transport, patience: Patience) -> None:
        self._transport = transport
        self._patience = patience

    def fetch(
        self, url: str, path: str, *, headers: Mapping[str, str] | None = None, limit: int = MAXIMUM,
        checksum: Digest | None = None,
    ) -> Download:  # fmt: skip
        """Write what lies at `url` to the new file `path`.

        `headers` are secrets. Raises BadUrl, Unreachable, ForbiddenTarget, BadRedirect, BadAnswer,
        LostDownload, TooLarge, ChecksumMismatch, DiskFull; then there is no file.
        """
        parts(url)
        found = self._fetch(url, path, headers or {}, limit, checksum)
        if found is None:
            raise BadAnswer(f"{show_url(url)}: invalid response status 304")
        return found

    def fetch_newer(
        self, url: str, path: str, known: Known, *, headers: Mapping[str, str] | None = None,
        limit: int = MAXIMUM, checksum: Digest | None = None,
    ) -> Download | None:  # fmt: skip
        """The same, but None when it is still what was `known`."""
        return self._fetch(url, path, {**(headers or {}), **_conditions(known)}, limit, checksum)

    def _fetch(
        self, url: str, path: str, headers: Mapping[str, str], limit: int, checksum: Digest | None
    ) -> Download | None:
        attempt = 0
        while True:
            attempt += 1
            try:
                with files.explained(path, root=path):
                    return self._once(url, path, headers, limit, checksum)
            except (Unreachable, LostDownload) as error:
                passing = error.passing if isinstance(error, Unreachable) else True
                if not passing or attempt >= self._patience.attempts:
                    raise
            self._patience.sleep(self._patience.delay(attempt))

    def _once(
        self, url: str, path: str, headers: Mapping[str, str], limit: int, checksum: Digest | None
    ) -> Download | None:
        response = self._asked(url, headers)
        try:
            if response.status == 304:
                return None
            if response.status != 200:
                raise BadAnswer(f"{show_url(url)}: invalid response status {response.status}")
            descriptor = files.create(path)
            try:
                size, digest = _received(response, descriptor, limit, url, checksum)
            except BaseException:
                files.unlink(path)
                raise
            finally:
                os.close(descriptor)
        finally:
            abandon(response)
        return Download(
            path=path, name=file_name(url), size=size, digest=digest,
            modified=_modified(response), etag=response.headers.get("ETag", ""),
        )  # fmt: skip

    def _asked(self, url: str, headers: Mapping[str, str]) -> Response:
        """The last answer on the way that redirects lead."""
        fence: Reach | None = None
        for _ in range(_HOPS + 1):
            response = self._patient(urldefrag(url).url, headers, fence)
            if response.status not in _REDIRECTS or "Location" not in response.headers:
                return response
            abandon(response)
            target = _target(url, response.headers["Location"])
            here, there = parts(url), parts(target)
            if (here.scheme, here.netloc) != (there.scheme, there.netloc):
                headers = {name: value for name, value in headers.items() if name not in _SECRETS}
            fence = fence or self._transport.reach(here.hostname or "")
            url = target
        raise BadRedirect(f"{show_url(url)}: stopped after {_HOPS} redirects")

    def _patient(self, url: str, headers: Mapping[str, str], fence: Reach | None) -> Response:
        """An answer; another one when the first says that trying again may help."""
        attempt = 0
        while True:
            attempt += 1
            request = Request(method="GET", url=url, headers=headers)
            response = self._transport.exchange(request, Tls(), fence)
            if response.status not in PASSING or attempt >= self._patience.attempts:
                return response
            asked = retry_after(response.headers)
            abandon(response)
            delay = self._patience.delay(attempt) if asked is None else asked
            self._patience.sleep(min(delay, self._patience.longest_wait))


def parts(url: str) -> SplitResult:
    """The parts of an HTTP URL. Raises BadUrl."""
    try:
        found = urlsplit(url)
        if found.hostname and (found.port is None or found.port):
            return found
    except ValueError:
        pass
    raise BadUrl(f"invalid URL {show_url(url)}")


def file_name(url: str) -> str:
    """What a download is called: the last part of the URL's path. Raises BadUrl."""
    name = posixpath.basename(unquote(parts(url).path).rstrip("/"))
    return name if name not in ("", ".", "..") and "\0" not in name else _UNNAMED


def is_http(text: str) -> bool:
    """Whether a text is an HTTP URL."""
    return text.startswith(("http://", "https://"))


def authorization(url: str, secret: Callable[[str], bytes | None]) -> Mapping[str, str]:
    """The header for a URL's host that the build's secrets hold, by BuildKit's names for them.

    `HTTP_AUTH_HEADER_<host>` is a header's whole value, `HTTP_AUTH_TOKEN_<host>` a bearer token.
    """
    host = parts(url).netloc.rpartition("@")[2]
    for name, prefix in (("HTTP_AUTH_HEADER", ""), ("HTTP_AUTH_TOKEN", "Bearer ")):
        value = secret(f"{name}_{host}")
        if value is not None:
            return {"Authorization": prefix + value.decode("latin-1").strip()}
    return {}


def _target(url: str, location: str) -> str:
    """Where a redirect leads. Raises BadRedirect."""
    try:
        target = urljoin(url, location)
        if parts(target).scheme in ("http", "https"):
            return target
    except (ValueError, BadUrl):
        pass
    raise BadRedirect(f"{show_url(url)}: redirected to {show_url(location)}")


def _conditions(known: Known) -> Mapping[str, str]:
    pairs = (("If-None-Match", known.etag), ("If-Modified-Since", known.modified))
    return {name: value for name, value in pairs if value}


def _received(
    response: Response, descriptor: int, limit: int, url: str, checksum: Digest | None
) -> tuple[int, Digest]:
    """Write a body, and hold it against its checksum; its size and SHA-256."""
    plain, other = hashlib.sha256(), None
    if checksum is not None and checksum.algorithm != "sha256":
        other = hashlib.new(checksum.algorithm)
    size = 0
    while True:
        try:
            chunk = response.read(_CHUNK)
        except (http.HTTPError, HTTPException, ValueError) as error:
            raise LostDownload(f"{show_url(url)}: {describe(error)[0]}") from None
        if not chunk:
            break
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"{show_url(url)}: larger than {limit} bytes")
        files.write(descriptor, chunk)
        plain.update(chunk)
        if other is not None:
            other.update(chunk)
    digest = Digest("sha256", plain.hexdigest())
    if checksum is not None:
        found = Digest(checksum.algorithm, other.hexdigest()) if other is not None else digest
        if found != checksum:
            raise ChecksumMismatch(f"{show_url(url)}: digest mismatch: got {found}, expected {checksum}")
    return size, digest


def _modified(response: Response) -> int | None:
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return max(0, int(parsedate_to_datetime(response.headers.get("Last-Modified", "")).timestamp()))
    return None
