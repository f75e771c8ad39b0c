"""Upload: put blobs and manifests into a repository.

Source: distribution specification, "Pushing manifests" and "Pushing blobs". A blob goes in one PUT, which
every registry takes; what a broken connection left at the server is kept where the server tells how much.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from http import HTTPStatus
from urllib.parse import quote, urlencode, urljoin

from millefeuille.annotations import Protocol
from millefeuille.errors import Corrupt, MilleError
from millefeuille.files import explain as explain_file
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.progress import Progress, Retrying
from millefeuille.registry import refusal
from millefeuille.registry.auth import NoCredentials
from millefeuille.registry.hosts import Endpoint
from millefeuille.registry.patience import PASSING, Patience
from millefeuille.registry.site import Call, Site, answer_of, finish
from millefeuille.registry.transport import SEND_CHUNK, Response, Unreachable

_RANGE = re.compile(r"(?:bytes=)?0-(\d{1,19})", re.ASCII)
_TOKEN_LEFT = 120.0  # seconds a token must be good for before a long body is sent
_STORED = frozenset({200, 201, 202, 204})


class Readable(Protocol):
    """The part of a file that an upload uses."""

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, none at the end."""

    def close(self) -> None:
        """Be done."""


Source = Callable[[int], Readable]


class WrongUpload(Corrupt):
    """What was to be sent, or what the registry received, is not what the descriptor says."""


class Uploads:
    """The write side of one repository at one registry. Safe for threads."""

    def __init__(
        self, reference: Reference, endpoint: Endpoint, site: Site, *, progress: Progress, patience: Patience
    ) -> None:
        self._reference = reference
        self._name = endpoint.repository
        self._site = site
        self._progress = progress
        self._patience = patience
        self._sessions: dict[Digest, str] = {}
        self._broken: set[str] = set()

    @property
    def scopes(self) -> Sequence[str]:
        """What a token must allow."""
        return (f"repository:{self._name}:pull,push",)

    def mount(self, digest: Digest, from_repository: str) -> bool:
        """Have the registry link a blob of another of its repositories; False when it has to be sent.

        It only saves sending: what fails here, a token for both repositories as well, is not an error.
        """
        query = urlencode({"mount": str(digest), "from": from_repository})
        scopes = (*self.scopes, f"repository:{from_repository}:pull")
        url = f"{self._uploads}?{query}"
        try:
            response = self._send(Call(method="POST", url=url, scopes=scopes, headers=_EMPTY, attempts=1))
            finish(response)
            if response.status == 202 and response.headers.get("Location"):
                # The registry opened an upload instead, which the coming `put` continues.
                self._sessions[digest] = self._location(response)
        except MilleError:
            return False
        return response.status == 201

    def put(self, blob: Descriptor, source: Source) -> None:
        """Send `blob`; `source(offset)` opens its bytes anew from there.

        Raises WrongUpload, and in Docker's words what the registry refuses.
        """
        location = self._sessions.pop(blob.digest, None)
        for attempt in itertools.count(1):
            try:
                location = location or self._start()
                failure = self._put_once(location, blob, source)
                if failure is None:
                    return
                location = None
            except Unreachable as error:
                if not error.passing:
                    raise
                failure = error
                if location is not None:
                    self._broken.add(location)
            if attempt >= self._patience.attempts:
                raise failure
            delay = self._patience.delay(attempt)
            self._progress.report(Retrying(what=str(blob.digest), delay=delay, reason=str(failure)))
            self._patience.sleep(delay)

    def _put_once(self, location: str, blob: Descriptor, source: Source) -> MilleError | None:
        """Send and check; a failure that another upload may not meet is returned, any other raised."""
        response = self._put(location, blob, source)
        if response.status in _STORED:
            self._check(response, blob)
            return None
        failure = refusal.explain_write(answer_of(response), self._reference)
        # What was put together from two connections may be wrong where it would be right in one piece.
        mended = location in self._broken and response.status == HTTPStatus.BAD_REQUEST
        if mended or response.status in PASSING or response.status in (404, 416):
            return failure
        raise failure

    def put_manifest(self, manifest: Descriptor, raw: bytes, tag: str | None) -> None:
        """Store a manifest's exact bytes, under its digest, or under `tag` as well. Raises as `put` does."""
        name = tag if tag is not None else str(manifest.digest)
        call = Call(
            method="PUT",
            url=f"/v2/{self._name}/manifests/{name}",
            scopes=self.scopes,
            headers={"Content-Type": manifest.media_type, "Content-Length": str(len(raw))},
            body=raw,
            answer_timeout=self._patience.stored,
            remaining=_TOKEN_LEFT,
        )
        response = self._send(call)
        if response.status not in _STORED:
            raise refusal.explain_write(answer_of(response), self._reference)
        self._check(response, manifest)

    @property
    def _uploads(self) -> str:
        return f"/v2/{self._name}/blobs/uploads/"

    def _start(self) -> str:
        """Open an upload; its location."""
        response = self._send(Call(method="POST", url=self._uploads, scopes=self.scopes, headers=_EMPTY))
        if response.status != 202 or not response.headers.get("Location"):
            raise refusal.explain_write(answer_of(response), self._reference)
        finish(response)
        return self._location(response)

    def _put(self, location: str, blob: Descriptor, source: Source) -> Response:
        """Send what the upload at `location` lacks, and close it."""
        offset = 0
        if location in self._broken:
            url = f"/v2/{self._name}/blobs/{blob.digest}"
            there = self._send(Call(method="HEAD", url=url, scopes=self.scopes))
            finish(there)
            if there.status == HTTPStatus.OK:  # Only the answer was lost.
                return there
            offset = self._received(location, blob)
        if offset:
            response = self._body("PATCH", location, blob, source, offset)
            if response.status not in (201, 202, 204):  # 202 is right; Amazon's registry says 201.
                return response
            finish(response)
            if response.headers.get("Location"):
                location = self._location(response, location)
            offset = blob.size
        joint = "&" if "?" in location else "?"
        closing = f"{location}{joint}digest={quote(str(blob.digest), safe='')}"
        return self._body("PUT", closing, blob, source, offset)

    def _body(self, method: str, url: str, blob: Descriptor, source: Source, offset: int) -> Response:
        length = blob.size - offset
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(length)}
        if offset and length:
            headers["Content-Range"] = f"{offset}-{blob.size - 1}"
        call = Call(
            method=method,
            url=url,
            scopes=self.scopes,
            headers=headers,
            body=(lambda: _chunks(source, offset, length)) if length else b"",
            answer_timeout=self._patience.stored,
            attempts=1,
            remaining=_TOKEN_LEFT,
        )
        return self._send(call)

    def _received(self, location: str, blob: Descriptor) -> int:
        """The bytes that the registry holds of a broken upload."""
        response = self._send(Call(method="GET", url=location, scopes=self.scopes, attempts=1))
        finish(response)
        matched = _RANGE.fullmatch(response.headers.get("Range", ""))
        if response.status != 204 or not matched or int(matched[1]) >= blob.size:
            return 0
        return int(matched[1]) + 1 if int(matched[1]) else 0  # `0-0` is what an empty upload says, too.

    def _location(self, response: Response, base: str = "") -> str:
        """Where an upload goes on: as the server says it, resolved, never rebuilt."""
        root = self._site.root()
        location = self._site.target(urljoin(f"{root}/", base or self._uploads), response.headers["Location"])
        return location.removeprefix(root) if location.startswith(f"{root}/") else location

    def _check(self, response: Response, blob: Descriptor) -> None:
        finish(response)
        said = response.headers.get("Docker-Content-Digest", "")
        if said.startswith(f"{blob.digest.algorithm}:") and said != str(blob.digest):
            raise WrongUpload(f"{blob.digest}: the registry stored other bytes")

    def _send(self, call: Call) -> Response:
        try:
            return self._site.request(call)
        except NoCredentials:
            raise refusal.no_credentials(call.method, self._site.root() + call.url, self._reference) from None


_EMPTY = {"Content-Length": "0"}


def _chunks(source: Source, offset: int, length: int) -> Iterator[bytes]:
    """Exactly `length` bytes of `source` from `offset` on. Raises WrongUpload, Failed."""
    readable = source(offset)
    try:
        while length:
            chunk = readable.read(min(SEND_CHUNK, length))
            if not chunk:
                raise WrongUpload("the blob to be sent is shorter than its descriptor says")
            length -= len(chunk)
            # Looked at before the last bytes go: with them, the registry would take the blob for whole.
            if not length and readable.read(1):
                raise WrongUpload("the blob to be sent is longer than its descriptor says")
            yield chunk
    except OSError as error:
        raise explain_file(error, "the blob to be sent") from error
    finally:
        readable.close()
