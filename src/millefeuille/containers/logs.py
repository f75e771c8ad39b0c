"""Logs: what a container has written, read from its file of JSON lines; from the end, and on as it grows."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from millefeuille.annotations import BinaryIO, Final
from millefeuille.oci.moment import nanoseconds
from millefeuille.plainjson import loads
from millefeuille.values import dataclass

_BLOCK: Final = 1 << 16
_PAUSE: Final = 0.05  # seconds between two looks at a file that may grow
_NONE: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A line, or a part of a long one: `stream` is stdout or stderr, `written` its time as the file has it,
    `attributes` what `--log-opt` has each line carry.
    """

    stream: str
    text: str
    written: str
    attributes: Mapping[str, str]

    @property
    def time(self) -> str:
        """RFC 3339 with all nine digits."""
        whole, _, fraction = self.written.removesuffix("Z").partition(".")
        return f"{whole}.{fraction:0<9}Z"

    @property
    def moment(self) -> int:
        """Nanoseconds since 1970."""
        return nanoseconds(self.written)


def read(
    path: str,
    *,
    tail: int | None = None,
    since: int | None = None,
    until: int | None = None,
    alive: Callable[[], bool] | None = None,
) -> Iterator[Record]:
    """The records of the log at `path`, older files beside it included: the last `tail` of them, from `since`
    to `until` (nanoseconds).

    With `alive` it waits for more for as long as that is true. A log that is not there is empty; a line that
    was cut off by a crash is left out. Raises OSError.
    """
    with contextlib.ExitStack() as stack:
        files = _opened(path, stack)
        if not files and alive is not None and _appears(path, alive):
            files = _opened(path, stack)
        if tail is not None:
            files = _wound(files, tail)
        for line in _all_lines(path, files, stack, alive, until):
            record = _record(line)
            if record is None or (since is not None and record.moment < since):
                continue
            if until is not None and record.moment > until:
                return
            yield record


def _opened(path: str, stack: contextlib.ExitStack) -> list[BinaryIO]:
    """The files of a log, the oldest first. One that is moved up meanwhile is there once."""
    found: list[BinaryIO] = []
    seen = set()
    for number in itertools.count():
        try:
            file = stack.enter_context(open(f"{path}.{number}" if number else path, "rb"))
        except FileNotFoundError:
            if number:  # between two files there may be none of the plain name
                return found[::-1]
            continue
        if _inode(file) not in seen:
            seen.add(_inode(file))
            found.append(file)
    return found


def _wound(files: list[BinaryIO], count: int) -> list[BinaryIO]:
    """Those files that the last `count` lines are in, at the place where these begin."""
    for place in range(len(files) - 1, -1, -1):
        start, found = _start(files[place], count)
        files[place].seek(start)
        count -= found
        if count <= 0:
            return files[place:]
    return files


def _all_lines(
    path: str, files: Sequence[BinaryIO], stack: contextlib.ExitStack,
    alive: Callable[[], bool] | None, until: int | None,
) -> Iterator[bytes]:  # fmt: skip
    """The lines of all files, and of those that come behind them while one waits."""
    while files:
        *full, last = files
        for file in full:
            yield from _lines(file, path, None, None)
        yield from _lines(last, path, alive, until)
        if alive is None or not _is_full(last, path):
            return
        with stack.pop_all():  # open until the next are, so that none of these has a number from there
            files = _opened(path, stack)
            places = [_inode(file) for file in files]
            if _inode(last) in places:
                files = files[places.index(_inode(last)) + 1 :]


def _lines(
    file: BinaryIO, path: str, alive: Callable[[], bool] | None, until: int | None
) -> Iterator[bytes]:
    """Whole lines; with `alive`, until it is false and nothing is left, or the time `until` has come, or
    another file has taken the place of this one.
    """
    rest = b""
    ending = alive is None
    while True:
        data = file.read(_BLOCK)
        if data:
            *lines, rest = (rest + data).split(b"\n")
            yield from lines
        elif ending:
            return
        elif os.fstat(file.fileno()).st_size < file.tell():
            file.seek(0)  # a log of one file begins again in it
            rest = b""
        elif _is_full(file, path) or (alive is not None and not alive()):
            ending = True  # what was written before the end is still to be read
        else:
            if until is not None and time.time_ns() > until:
                return
            time.sleep(_PAUSE)


def _is_full(file: BinaryIO, path: str) -> bool:
    """Whether another file has taken the place of this one."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return False
    return (status.st_dev, status.st_ino) != _inode(file)


def _inode(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino


def _start(file: BinaryIO, count: int) -> tuple[int, int]:
    """Where the last `count` lines begin, and how many lines there are from there on, `count` at most."""
    end = file.seek(0, os.SEEK_END)
    if count <= 0:
        return end, 0
    at, seen = end, 0
    wanted = count + 1  # the newline that ends the line before the first one wanted
    while at > 0:
        begin = max(0, at - _BLOCK)
        file.seek(begin)
        block = file.read(at - begin)
        found = block.count(b"\n")
        if seen + found >= wanted:
            position = len(block)
            for _ in range(wanted - seen):
                position = block.rindex(b"\n", 0, position)
            return begin + position + 1, count
        seen += found
        at = begin
    return 0, seen


def _record(line: bytes) -> Record | None:
    try:
        value = loads(line)
        stream, text, written = value["stream"], value["log"], value["time"]
    except (ValueError, KeyError, TypeError):
        return None
    if not (isinstance(stream, str) and isinstance(text, str) and isinstance(written, str)):
        return None
    return Record(stream=stream, text=text, written=written, attributes=value.get("attrs") or _NONE)


def _appears(path: str, alive: Callable[[], bool]) -> bool:
    """Wait for the file of a container that runs but has not written yet."""
    while not os.path.exists(path):
        if not alive():
            return os.path.exists(path)
        time.sleep(_PAUSE)
    return True
