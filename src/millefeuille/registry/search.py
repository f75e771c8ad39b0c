"""Search: the index of Docker Hub, and of registries that offer the same (the v1 search API)."""

from __future__ import annotations

import json
from urllib.parse import quote_plus

from millefeuille.annotations import Any
from millefeuille.errors import Failed
from millefeuille.oci.gotext import encoded
from millefeuille.registry import body
from millefeuille.registry.hosts import Endpoint
from millefeuille.registry.redaction import clean
from millefeuille.registry.tls import Tls
from millefeuille.registry.transport import Request, Response, Transport, Unreachable
from millefeuille.values import dataclass

HUB_INDEX = "index.docker.io"
MAXIMUM_ANSWER = 4 << 20  # bytes


class SearchFailed(Failed):
    """An index did not answer with results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One repository."""

    name: str
    description: str
    stars: int
    official: bool
    automated: bool


def split_term(term: str) -> tuple[str, str]:
    """(index host, what to look for): a first part that looks like a host is one, as in references."""
    first, slash, rest = term.partition("/")
    if slash and (first == "localhost" or "." in first or ":" in first):
        return (HUB_INDEX, rest) if first in ("docker.io", HUB_INDEX) else (first, rest)
    return HUB_INDEX, term


def search(transport: Transport, index: Endpoint, term: str, limit: int) -> tuple[Found, ...]:
    """Up to `limit` repositories of `index` for `term`, in the order of the index.

    Raises SearchFailed, Unreachable, BodyLost.
    """
    term = term.removeprefix("library/") if index.host == HUB_INDEX else term
    path = f"/v1/search?q={quote_plus(encoded(term))}&n={limit}"
    response = _ask(transport, index, path)
    if response.status != 200:
        body.read_some(response, MAXIMUM_ANSWER)
        raise SearchFailed(f"Unexpected status code {response.status}")
    try:
        results = json.loads(body.read(response, MAXIMUM_ANSWER))["results"]
        return tuple(_found(entry) for entry in results[:limit])
    except (body.BodyTooLarge, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise SearchFailed(f"{index.host}: its answer is not a list of results") from None


def _ask(transport: Transport, index: Endpoint, path: str) -> Response:
    failure: Unreachable | None = None
    security = Tls(insecure=index.insecure, certificates=index.certificates)
    for scheme in index.schemes:
        try:
            return transport.exchange(Request(method="GET", url=f"{scheme}://{index.host}{path}"), security)
        except Unreachable as error:
            # What was searched for is no secret, and Docker shows it.
            failure = error.at(f"{scheme}://{index.host}{path}")
    assert failure is not None
    raise failure


def _found(entry: dict[str, Any]) -> Found:
    stars = entry.get("star_count")
    return Found(
        name=clean(str(entry["name"])),
        description=clean(str(entry.get("description") or "")),
        stars=stars if isinstance(stars, int) else 0,
        official=entry.get("is_official") is True,
        automated=entry.get("is_automated") is True,
    )
