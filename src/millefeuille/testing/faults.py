"""Faults: what a test wants a registry to do wrong, where and how often."""

from __future__ import annotations

import re
from collections.abc import Mapping

from millefeuille.values import dataclass, field


@dataclass(kw_only=True)
class Fault:
    """Applies to requests whose `METHOD path?query` the pattern `where` is found in, `times` times.

    `skip` requests go unharmed before. Offsets count in the body that would be sent. With `status` the
    answer is that status with `headers` and `body`; the other fields change an otherwise right answer.
    """

    where: str
    times: int = 1
    skip: int = 0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    drop: frozenset[str] = frozenset()  # names of headers to leave out
    ignore_range: bool = False
    truncate: int | None = None  # bytes after which the connection is closed
    reset: int | None = None  # bytes after which the connection is reset
    corrupt: int | None = None  # the offset of a byte to change
    extra: bytes = b""  # sent behind the body, as if it belonged to it
    early: bool = False  # answer with `status` before the body was read, and close the connection
    keep: int | None = None  # store so many bytes of an upload, then close the connection
    silent: bool = False  # do what was asked, and close the connection without an answer
    stall: int | None = None  # bytes after which the server falls silent
    slow: float = 0.0  # seconds of pause after each `piece`
    piece: int = 64 << 10
    chunked: bool = False  # send with Transfer-Encoding instead of Content-Length
    hits: int = 0

    def take(self, line: str) -> bool:
        """True when the fault is for the request `line`, and then one time less is left."""
        if self.times <= 0 or not re.search(self.where, line):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        self.hits += 1
        return True
