"""Logs: what a container has written, read from its file of JSON lines; from the end, and on as it grows."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

from millefeuille.annotations import BinaryIO, Final
from millefeuille.oci.moment import nanoseconds
from millefeuille.plainjson import loads
from millefeuille.values import dataclass

_BLOCK: Final = 1 << 16
_PAUSE: Final = 0.05  # seconds between two looks at a file that may grow


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A line, or a part of a long one: `stream` is stdout or stderr, `time` RFC 3339 with all nine digits."""

    stream: str
    text: str
    time: str
    moment: int


def read(
    path: str,
    *,
    tail: int | None = None,
    since: int | None = None,
    until: int | None = None,
    alive: Callable[[], bool] | None = None,
) -> Iterator[Record]:
    """The records of the log at `path`, the last `tail` of them, from `since` to `until` (nanoseconds).

    With `alive` it waits for more for as long as that is true. A log that is not there is empty; a line that
    was cut off by a crash is left out. Raises OSError.
    """
    try:
        file = open(path, "rb")
    except FileNotFoundError:
        if alive is None or not _appears(path, alive):
            return
        file = open(path, "rb")
    with file:
        if tail is not None:
            file.seek(_start(file, tail))
        for line in _lines(file, alive, until):
            record = _record(line)
            if record is None or (since is not None and record.moment < since):
                continue
            if until is not None and record.moment > until:
                return
            yield record


def _lines(file: BinaryIO, alive: Callable[[], bool] | None, until: int | None) -> Iterator[bytes]:
    """Whole lines; with `alive`, until it is false and nothing is left, or the time `until` has come."""
    rest = b""
    ending = alive is None
    while True:
        data = file.read(_BLOCK)
        if data:
            *lines, rest = (rest + data).split(b"\n")
            yield from lines
        elif ending:
            return
        elif alive is not None and not alive():
            ending = True  # what was written before the end is still to be read
        else:
            if until is not None and time.time_ns() > until:
                return
            time.sleep(_PAUSE)


def _start(file: BinaryIO, count: int) -> int:
    """Where the last `count` lines begin."""
    end = file.seek(0, os.SEEK_END)
    if count <= 0:
        return end
    at = end
    wanted = count + 1  # the newline that ends the line before the first one wanted
    while at > 0:
        begin = max(0, at - _BLOCK)
        file.seek(begin)
        block = file.read(at - begin)
        found = block.count(b"\n")
        if found >= wanted:
            position = len(block)
            for _ in range(wanted):
                position = block.rindex(b"\n", 0, position)
            return begin + position + 1
        wanted -= found
        at = begin
    return 0


def _record(line: bytes) -> Record | None:
    try:
        value = loads(line)
        moment = nanoseconds(value["time"])
        return Record(
            stream=str(value["stream"]), text=str(value["log"]), time=_fixed(value["time"]), moment=moment
        )
    except (ValueError, KeyError, TypeError):
        return None


def _fixed(text: str) -> str:
    """The time with nine digits of fraction."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return f"{whole}.{fraction:0<9}Z"


def _appears(path: str, alive: Callable[[], bool]) -> bool:
    """Wait for the file of a container that runs but has not written yet."""
    while not os.path.exists(path):
        if not alive():
            return os.path.exists(path)
        time.sleep(_PAUSE)
    return True
