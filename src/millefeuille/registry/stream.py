"""BlobStream: a blob's bytes, whatever happens to the connection meanwhile."""

from __future__ import annotations

import re
from http.client import HTTPException

from urllib3 import exceptions as http

from millefeuille.annotations import Protocol
from millefeuille.errors import Corrupt, Unavailable
from millefeuille.oci.descriptor import Descriptor
from millefeuille.progress import Progress, Retrying
from millefeuille.registry.patience import Patience
from millefeuille.registry.transport import Response, Unreachable, abandon, describe
from millefeuille.wholenumber import whole_number

SKIP_LIMIT = 16 << 20  # bytes of an ignored range that are read and thrown away
_PROGRESS = 1 << 20  # bytes after which earlier failures are forgiven
_MAXIMUM_FAILURES = 20
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", re.ASCII | re.IGNORECASE)
_FAILURES = (http.HTTPError, HTTPException, OSError, ValueError)


class WrongSize(Corrupt):
    """A server has another size for a blob than its descriptor."""


class ConnectionLost(Unavailable):
    """A blob's transfer broke off again and again."""


class RangeIgnored(Unavailable):
    """A server sends the whole blob each time; going on would mean to read all of it again and again."""


class Opener(Protocol):
    """Asks for a blob's bytes from `offset` on; the answer has status 200 or 206."""

    def __call__(self, offset: int) -> Response:
        """Raises MilleError when no server gives them."""


class BlobStream:
    """The bytes of `blob` from `offset` on, read into the caller's buffer.

    `offset` is where the stream really starts: 0 where a server ignores ranges and too much would have to
    be thrown away. A connection that breaks is opened again behind the last byte. The caller checks the
    digest; the size is checked here. Not for several threads at once.
    """

    def __init__(
        self, blob: Descriptor, opener: Opener, offset: int, *, progress: Progress, patience: Patience
    ) -> None:
        self.blob = blob
        self.offset = offset
        self._opener = opener
        self._progress = progress
        self._patience = patience
        self._position = offset
        self._failures = 0
        self._total_failures = 0
        self._failed_at = offset
        self._read_all_again = False
        self._response: Response | None = None
        if offset < blob.size:
            self._response, start = self._connect(offset)
            if offset - start > SKIP_LIMIT:
                self.offset = self._position = start
            else:
                self._skip(offset - start)

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fill `buffer` as far as the blob goes; the bytes read, 0 at its end.

        Raises ConnectionLost, RangeIgnored, WrongSize and what asking again raises.
        """
        view = memoryview(buffer).cast("B")
        if len(view) > self.blob.size - self._position:
            view = view[: self.blob.size - self._position]
        if not view:
            return 0
        while True:
            count, failure = self._receive(view)
            if count:
                self._position += count
                if self._position == self.blob.size:
                    self._end()
                return count
            self._reconnect(failure)

    def close(self) -> None:
        """Give up the connection."""
        if self._response is not None:
            abandon(self._response)
            self._response = None

    def __enter__(self) -> BlobStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _receive(self, view: memoryview) -> tuple[int, str]:
        """Bytes received, and when there are none, why."""
        assert self._response is not None
        # urllib3's own readinto copies each piece; http.client's fills the caller's memory from the socket.
        body = self._response._fp  # type: ignore[attr-defined]  # private, and without a public twin
        try:
            count: int = body.readinto(view)
        except _FAILURES as error:
            return 0, _reason(error)
        return count, "unexpected EOF"

    def _end(self) -> None:
        """All bytes are here: give the connection back, unless the server has more to say."""
        assert self._response is not None
        length = self._response.headers.get("Content-Length")
        if length is None and self._receive(memoryview(bytearray(1)))[0]:
            self.close()
            raise WrongSize(f"{self.blob.digest}: more than {self.blob.size} bytes")
        if length is not None and whole_number(length) is None:
            self.close()  # Nobody knows where the next answer begins.
            return
        response, self._response = self._response, None
        response.release_conn()

    def _reconnect(self, reason: str) -> None:
        """Open the stream again behind the last byte, after a pause."""
        if self._position - self._failed_at >= _PROGRESS:
            self._failures = 0
        self._failed_at = self._position
        while True:
            self.close()
            self._failures += 1
            self._total_failures += 1
            if self._failures >= self._patience.attempts or self._total_failures >= _MAXIMUM_FAILURES:
                raise ConnectionLost(
                    f"{self.blob.digest}: {reason} after {self._position} of {self.blob.size} bytes"
                )
            delay = self._patience.delay(self._failures)
            self._progress.report(Retrying(what=str(self.blob.digest), delay=delay, reason=reason))
            self._patience.sleep(delay)
            try:
                self._response, start = self._connect(self._position)
                self._skip_again(start)
                return
            except _Broken as error:
                reason = str(error)
            except Unreachable as error:  # It did answer before: it may be restarting.
                reason = error.words

    def _connect(self, offset: int) -> tuple[Response, int]:
        """A response and the position of its first byte. Raises WrongSize, and what the opener raises."""
        response = self._opener(offset)
        start = start_of(response, offset, self.blob)
        _set_idle_timeout(response, self._patience.idle)
        return response, start

    def _skip_again(self, start: int) -> None:
        """The server ignores ranges: what was read is read once more, but a long way only once."""
        if self._position - start > SKIP_LIMIT:
            if self._read_all_again:
                raise RangeIgnored(
                    f"{self.blob.digest}: the server ignores ranges, and the connection broke twice"
                )
            self._read_all_again = True
        self._skip(self._position - start)

    def _skip(self, count: int) -> None:
        """Read `count` bytes and throw them away. Raises _Broken."""
        waste = memoryview(bytearray(min(count, 256 << 10)))
        while count:
            received, failure = self._receive(waste[: min(count, len(waste))])
            if not received:
                raise _Broken(failure)
            count -= received


class _Broken(Exception):
    """The connection broke while bytes were thrown away."""


def start_of(response: Response, offset: int, blob: Descriptor) -> int:
    """The position of the answer's first byte, its framing checked. Raises WrongSize."""
    length = whole_number(response.headers.get("Content-Length", ""))
    if response.status == 200:
        start = 0
    else:
        start = offset
        matched = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if not matched or int(matched[1]) != offset or matched[3] not in ("*", str(blob.size)):
            raise WrongSize(f"{blob.digest}: the server answers with another range than the one asked for")
    if length is not None and length != blob.size - start:
        raise WrongSize(f"{blob.digest}: the server announces {length} bytes, not {blob.size - start}")
    return start


def _set_idle_timeout(response: Response, seconds: float) -> None:
    """From here on a silent server counts as a broken connection."""
    receiving = getattr(response.connection, "sock", None)
    if receiving is not None:
        receiving.settimeout(seconds)


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no data"
    return describe(error)[0]
