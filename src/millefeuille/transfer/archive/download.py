"""Download: a file from any web server, for `import`. Plain HTTP or HTTPS, without accounts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPException
from urllib.parse import urljoin, urlsplit

from urllib3.exceptions import HTTPError

from millefeuille.annotations import Final
from millefeuille.errors import Failed, Unavailable
from millefeuille.registry.patience import Patience
from millefeuille.registry.proxies import Proxies
from millefeuille.registry.redaction import show_url
from millefeuille.registry.tls import Tls
from millefeuille.registry.transport import Request, Response, Transport, abandon, describe
from millefeuille.wholenumber import whole_number

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MAXIMUM_REDIRECTS: Final = 5


class DownloadFailed(Failed):
    """The server has no such file, or sends us where we do not follow."""


class DownloadBroken(Unavailable):
    """The connection broke before the end of the file."""


@contextlib.contextmanager
def download(environment: Mapping[str, str], url: str) -> Iterator[Callable[[int], bytes]]:
    """A function that reads the file at `url`, at most that many bytes at a time.

    `environment` says which proxies to use. Raises DownloadFailed, DownloadBroken, Unreachable.
    """
    transport = Transport(Proxies.load(environment), Patience())
    response = _answer(transport, url)
    length = whole_number(response.headers.get("Content-Length", ""))
    count = 0

    def read(size: int) -> bytes:
        nonlocal count
        try:
            data = response.read(size)
        except (HTTPError, HTTPException, OSError) as error:
            raise DownloadBroken(f"{show_url(url)}: {describe(error)[0]}") from error
        count += len(data)
        if not data and length is not None and count != length:
            raise DownloadBroken(f"{show_url(url)}: unexpected EOF")
        return data

    try:
        yield read
    finally:
        abandon(response)
        transport.close()


def _answer(transport: Transport, url: str) -> Response:
    place = url
    for _ in range(_MAXIMUM_REDIRECTS + 1):
        response = transport.exchange(Request(method="GET", url=place), Tls())
        if response.status == 200:
            return response
        abandon(response)
        location = response.headers.get("Location", "")
        if response.status not in _REDIRECTS or not location:
            raise DownloadFailed(f"{show_url(url)}: failed to download: HTTP status {response.status}")
        following = urljoin(place, location)
        if urlsplit(following).scheme not in ("http", "https") or _is_downgrade(place, following):
            raise DownloadFailed(f"{show_url(url)}: refused to follow to {show_url(following)}")
        place = following
    raise DownloadFailed(f"{show_url(url)}: more than {_MAXIMUM_REDIRECTS} redirects")


def _is_downgrade(place: str, following: str) -> bool:
    return place.startswith("https:") and not following.startswith("https:")
