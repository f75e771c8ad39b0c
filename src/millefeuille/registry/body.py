"""Bodies of answers that are small enough to be read at once."""

from __future__ import annotations

from http.client import HTTPException

from urllib3 import exceptions as http

from millefeuille.errors import Failed, Unavailable
from millefeuille.registry.transport import Response, abandon, describe

_CHUNK = 1 << 20  # bytes


class BodyLost(Unavailable):
    """The connection broke before the end of an answer."""


class BodyTooLarge(Failed):
    """An answer is larger than any honest one."""


def read(response: Response, limit: int) -> bytes:
    """The whole body, at most `limit` bytes; the connection is given back. Raises BodyLost, BodyTooLarge."""
    parts: list[bytes] = []
    left = limit + 1
    try:
        while left and (part := response.read(min(_CHUNK, left))):
            parts.append(part)
            left -= len(part)
    except (http.HTTPError, HTTPException, OSError, ValueError) as error:
        abandon(response)
        words = "no data" if isinstance(error, (TimeoutError, http.TimeoutError)) else describe(error)[0]
        raise BodyLost(words if words != "EOF" else "unexpected EOF") from None
    if not left:
        abandon(response)
        raise BodyTooLarge(f"larger than {limit} bytes")
    response.release_conn()
    return b"".join(parts)


def read_some(response: Response, limit: int) -> bytes:
    """What can be had of a body, for an error's text; never raises for it."""
    try:
        found = response.read(limit)
    except (http.HTTPError, HTTPException, OSError, ValueError):
        found = b""
    abandon(response)
    return found
