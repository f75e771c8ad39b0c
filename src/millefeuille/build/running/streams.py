"""Streams: what a command prints, handed on line by line while it runs."""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Mapping

from millefeuille.annotations import Final

# Told the number of the stream, 1 or 2, and a line without its end.
Log = Callable[[int, bytes], None]

_PIECE: Final = 64 << 10
_LONGEST: Final = 64 << 10  # bytes of a line; the rest is another one
_PAUSE: Final = 100  # milliseconds between two looks at whether to go on


def follow(readers: Mapping[int, int], log: Log, tick: Callable[[], None]) -> None:
    """Hand on all that comes out of `readers`, pipes with the number of their stream, until all have ended.

    `tick` is called now and then meanwhile. What it raises, and what `log` raises, ends this.
    """
    poller = select.poll()
    for reader in readers:
        poller.register(reader, select.POLLIN)
    pending = dict.fromkeys(readers, b"")
    while pending:
        tick()
        for reader, _ in poller.poll(_PAUSE):
            data = os.read(reader, _PIECE)
            number = readers[reader]
            if not data:
                poller.unregister(reader)
                if rest := pending.pop(reader):
                    log(number, rest)
                continue
            *lines, rest = (pending[reader] + data).split(b"\n")
            for line in lines:
                log(number, line)
            while len(rest) > _LONGEST:
                log(number, rest[:_LONGEST])
                rest = rest[_LONGEST:]
            pending[reader] = rest
