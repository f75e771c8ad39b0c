"""Tags: the list of a repository's tags, page by page (distribution specification, "Listing Tags")."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from millefeuille.errors import Failed
from millefeuille.registry.transport import Response

PAGE = 1000
MAXIMUM_PAGE = 4 << 20  # bytes
_MAXIMUM_PAGES = 1000
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_NEXT = re.compile(r'<([^>]*)>\s*;(?:[^,]*;)?\s*rel="?next"?', re.IGNORECASE)


class BadTagList(Failed):
    """A registry's answer is not a list of tags."""


def read(repository: str, get: Callable[[str], tuple[Response, bytes]], what: str) -> tuple[str, ...]:
    """All tags of `repository`, sorted. `get` fetches a path and raises unless the status is 200.

    Raises BadTagList, which names `what`, and what `get` raises.
    """
    path: str | None = f"/v2/{repository}/tags/list?n={PAGE}"
    seen: set[str] = set()
    found: set[str] = set()
    while path is not None and path not in seen and len(seen) < _MAXIMUM_PAGES:
        seen.add(path)
        response, body = get(path)
        found.update(_page(body, what))
        path = next_page(path, response.headers.get("Link", ""))
    return tuple(sorted(found))


def next_page(path: str, link: str) -> str | None:
    """The path of the next page; a link to another host is not followed (RFC 8288)."""
    matched = _NEXT.search(link)
    if not matched:
        return None
    try:
        parts = urlsplit(urljoin(path, matched[1]))
    except ValueError:
        return None
    # Only path and query are taken, so that the next page is asked of the same host whatever is written.
    if not parts.path.startswith("/v2/"):
        return None
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _page(body: bytes, what: str) -> list[str]:
    try:
        tags = json.loads(body).get("tags")
    except (ValueError, AttributeError, RecursionError):
        raise BadTagList(f"{what}: the answer is not a list of tags") from None
    if tags is None:
        return []
    if not isinstance(tags, list):
        raise BadTagList(f"{what}: the answer is not a list of tags")
    return [tag for tag in tags if isinstance(tag, str) and _TAG.fullmatch(tag)]
