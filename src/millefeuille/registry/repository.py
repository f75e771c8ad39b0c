"""Repository: the manifests and blobs of one name in a registry, over the places that serve it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from millefeuille.annotations import NoReturn, TypeVar
from millefeuille.errors import Corrupt, MilleError
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest, InvalidDigest
from millefeuille.oci.manifest import MAXIMUM_BYTES, InvalidManifest
from millefeuille.oci.reference import Reference
from millefeuille.progress import Progress
from millefeuille.registry import refusal, tags
from millefeuille.registry.auth import NoCredentials
from millefeuille.registry.body import BodyTooLarge
from millefeuille.registry.hosts import Endpoint
from millefeuille.registry.patience import Patience
from millefeuille.registry.site import Call, Site, answer_of, finish
from millefeuille.registry.stream import BlobStream, WrongSize, start_of
from millefeuille.registry.transport import Response, abandon
from millefeuille.registry.upload import Source, Uploads
from millefeuille.wholenumber import whole_number

Place = tuple[Endpoint, Site]
T = TypeVar("T")


class WrongManifest(Corrupt):
    """A manifest's bytes do not match their digest or size."""


class Repository:
    """One repository. `places` are asked in order; the last is the registry itself. Safe for threads."""

    def __init__(
        self,
        reference: Reference,
        places: Sequence[Place],
        *,
        progress: Progress,
        patience: Patience,
        writing: bool = False,
    ) -> None:
        self.reference = reference
        self._places = places
        self._progress = progress
        self._patience = patience
        self._writing = writing
        endpoint, site = places[-1]
        self._uploads = Uploads(reference, endpoint, site, progress=progress, patience=patience)
        self._announced: set[Digest] = set()
        self._bodies: dict[Digest, tuple[Descriptor, bytes]] = {}

    def resolve(self, reference: Reference) -> Descriptor:
        """The descriptor of what `reference`'s tag or digest names now.

        Raises NotFound, Denied, Unavailable kinds in Docker's words, WrongManifest, InvalidManifest.
        """
        return self._first(reference, lambda place: self._resolve_at(place, reference))

    def manifest(self, wanted: Descriptor | Reference) -> tuple[Descriptor, bytes]:
        """The bytes of a manifest or index, checked against digest and size, with their descriptor.

        Raises as `resolve` does.
        """
        if isinstance(wanted, Reference):
            wanted = self.resolve(wanted)
        found = wanted
        if found.digest in self._bodies:
            return self._bodies[found.digest]
        reference = self.reference.pinned(found.digest)
        descriptor, raw = self._first(reference, lambda place: self._manifest_at(place, reference))
        if len(raw) != found.size and found.digest not in self._announced:
            raise WrongManifest(f"{found.digest}: {len(raw)} bytes, not {found.size}")
        return descriptor, raw

    def open(self, blob: Descriptor, *, offset: int = 0, mirrors: bool = True) -> BlobStream:
        """The bytes of `blob` from `offset` on; see BlobStream for where it really starts.

        Without `mirrors` only the registry itself is asked: after a mirror gave other bytes than promised.
        Raises NotFound, Denied, Unavailable kinds, WrongSize.
        """
        opener = partial(self.fetch, blob, mirrors=mirrors)
        return BlobStream(blob, opener, offset, progress=self._progress, patience=self._patience)

    def __contains__(self, digest: Digest) -> bool:
        """True when the registry itself has the blob in this repository."""
        endpoint, site = self._places[-1]
        response = self._send(
            site, Call(method="HEAD", url=_blob(endpoint, digest), scopes=self._scopes(endpoint))
        )
        finish(response)
        return response.status == 200

    def tags(self) -> tuple[str, ...]:
        """All tags, sorted. Raises BadTagList, and Docker's words for what the registry refuses."""
        return self._first(self.reference.repository_only, self._tags_at)

    def mount(self, digest: Digest, from_repository: str) -> bool:
        """Take a blob over from another repository of the registry; False when it has to be uploaded."""
        return self._uploads.mount(digest, from_repository)

    def upload(self, blob: Descriptor, source: Source) -> None:
        """Send a blob; `source(offset)` opens its bytes from there, perhaps more than once.

        Raises WrongUpload, Denied, Unavailable kinds.
        """
        self._uploads.put(blob, source)

    def put_manifest(self, manifest: Descriptor, raw: bytes, tag: str | None = None) -> None:
        """Store a manifest's bytes by digest, or under `tag`. Raises as `upload` does."""
        self._uploads.put_manifest(manifest, raw, tag)

    def _tags_at(self, place: Place) -> tuple[str, ...]:
        endpoint, site = place

        def get(path: str) -> tuple[Response, bytes]:
            call = Call(method="GET", url=path, scopes=self._scopes(endpoint), attempts=_attempts(endpoint))
            response, page = self._worded(site, call, lambda: site.read(call, tags.MAXIMUM_PAGE))
            if response.status != 200:
                self._refuse(response, self.reference)
            return response, page

        return tags.read(endpoint.repository, get, self.reference.familiar_name)

    def fetch(self, blob: Descriptor, offset: int, *, mirrors: bool = True) -> Response:
        """An answer that holds the blob's bytes from `offset` on, or from its start."""
        if not mirrors:
            return self._blob_at(self._places[-1], blob, offset)
        return self._first(
            self.reference.pinned(blob.digest), lambda place: self._blob_at(place, blob, offset)
        )

    def _resolve_at(self, place: Place, reference: Reference) -> Descriptor:
        endpoint, site = place
        call = self._manifest_call(endpoint, reference, "HEAD")
        response = self._send(site, call)
        finish(response)
        described = _described(response) if response.status == 200 else None
        if described is None or (reference.digest is not None and described.digest != reference.digest):
            # No details come with HEAD, and some servers know nothing of it.
            descriptor, raw = self._manifest_at(place, reference)
            self._bodies[descriptor.digest] = (descriptor, raw)
            return descriptor
        self._announced.add(described.digest)
        return described

    def _manifest_at(self, place: Place, reference: Reference) -> tuple[Descriptor, bytes]:
        endpoint, site = place
        call = self._manifest_call(endpoint, reference, "GET")
        try:
            response, raw = self._worded(site, call, lambda: site.read(call, MAXIMUM_BYTES))
        except BodyTooLarge as error:
            raise InvalidManifest(f"manifest for {reference.familiar}: {error}") from None
        if response.status != 200:
            self._refuse(response, reference)
        announced = _digest(response)
        wanted = reference.digest or announced
        digest = Digest.of(raw, wanted.algorithm if wanted else "sha256")
        for expected in (reference.digest, announced):
            if expected is not None and expected.algorithm == digest.algorithm and expected != digest:
                raise WrongManifest(
                    f"manifest for {reference.familiar}: its digest is {digest}, not {expected}"
                )
        return Descriptor(media_type=_media_type(response), digest=digest, size=len(raw)), raw

    def _blob_at(self, place: Place, blob: Descriptor, offset: int) -> Response:
        endpoint, site = place
        headers = {"Range": f"bytes={offset}-{blob.size - 1}"} if offset else {}
        call = Call(
            method="GET",
            url=_blob(endpoint, blob.digest),
            scopes=self._scopes(endpoint),
            headers=headers,
            attempts=_attempts(endpoint),
        )
        response = self._send(site, call)
        if response.status == 416 and offset:
            finish(response)
            call = Call(method="GET", url=call.url, scopes=call.scopes, attempts=call.attempts)
            response = self._send(site, call)
        if response.status not in (200, 206):
            raise refusal.explain_blob(answer_of(response), self.reference)
        try:
            start_of(response, offset, blob)
        except WrongSize:
            abandon(response)
            raise
        return response

    def _manifest_call(self, endpoint: Endpoint, reference: Reference, method: str) -> Call:
        name = str(reference.digest) if reference.digest is not None else reference.tag or "latest"
        return Call(
            method=method,
            url=f"/v2/{endpoint.repository}/manifests/{name}",
            scopes=self._scopes(endpoint),
            headers={"Accept": mediatype.ACCEPT},
            attempts=_attempts(endpoint),
        )

    def _scopes(self, endpoint: Endpoint) -> Sequence[str]:
        if self._writing:  # One token for all that a push does.
            return self._uploads.scopes
        return (f"repository:{endpoint.repository}:pull",)

    def _send(self, site: Site, call: Call) -> Response:
        return self._worded(site, call, lambda: site.request(call))

    def _worded(self, site: Site, call: Call, act: Callable[[], T]) -> T:
        """Do `act`. Raises as it does, in Docker's words."""
        try:
            return act()
        except NoCredentials:
            url = f"{site.root()}{call.url}" if call.url.startswith("/") else call.url
            raise refusal.no_credentials(call.method, url, self.reference) from None

    def _refuse(self, response: Response, reference: Reference) -> NoReturn:
        raise refusal.explain(answer_of(response), reference)

    def _first(self, reference: Reference, act: Callable[[Place], T]) -> T:
        """The first place's answer; when none has one, the error of the registry itself."""
        failures: list[str] = []
        for endpoint, site in self._places[:-1]:
            if not self._serves(endpoint, reference):
                continue
            try:
                return act((endpoint, site))
            except MilleError as error:
                failures.append(f"[{endpoint.host}: {error}]")
        try:
            return act(self._places[-1])
        except MilleError as error:
            if failures:
                error.advice = " ".join(
                    [f"(Mirrors also failed: {' '.join(failures)})", error.advice or ""]
                ).strip()
            raise

    def _serves(self, endpoint: Endpoint, reference: Reference) -> bool:
        """True when a mirror may be asked for `reference`: as it is written, or as part of a named tag."""
        if reference.digest is None:
            return endpoint.by_tag
        return endpoint.by_digest or (endpoint.by_tag and self.reference.digest is None)


def _blob(endpoint: Endpoint, digest: Digest) -> str:
    return f"/v2/{endpoint.repository}/blobs/{digest}"


def _attempts(endpoint: Endpoint) -> int | None:
    """A mirror is not waited for: there is another place to ask."""
    return 1 if endpoint.mirror else None


def _media_type(response: Response) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _digest(response: Response) -> Digest | None:
    try:
        return Digest.parse(response.headers.get("Docker-Content-Digest", ""))
    except InvalidDigest:
        return None


def _described(response: Response) -> Descriptor | None:
    digest, length = _digest(response), whole_number(response.headers.get("Content-Length", ""))
    if digest is None or length is None or length > MAXIMUM_BYTES:
        return None
    return Descriptor(media_type=_media_type(response), digest=digest, size=length)
