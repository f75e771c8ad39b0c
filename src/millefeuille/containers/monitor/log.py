"""The container's output as JSON lines, in the format of Docker's json-file driver."""

from __future__ import annotations

import os

from millefeuille.containers.monitor import moments
from millefeuille.plainjson import dumps

_LONGEST = 16 << 10  # bytes; a longer line becomes several records, of which only the last has its newline


class Log:
    """Appends to the file at `path`; "" keeps nothing. A disk that is full loses lines, not the container.

    A file of `size` bytes (0: however large) is full: the newest `files` are kept, as PATH, PATH.1, PATH.2
    and so on. `attributes` is a JSON object that each record holds.
    """

    def __init__(self, path: str, *, size: int = 0, files: int = 1, attributes: str = "{}") -> None:
        self._path, self._size, self._files = path, size, files
        self._attributes = f'"attrs":{attributes},' if attributes != "{}" else ""
        self._file = _opened(path) if path else -1
        self._torn = self._file >= 0 and _is_torn(self._file)  # whether it ends within a line
        self._room = size - os.fstat(self._file).st_size if path and size else 0
        self._parts = {"stdout": b"", "stderr": b""}

    def write(self, stream: str, data: bytes) -> None:
        """Take output of `stream`, stdout or stderr; what ends no line yet waits for the rest."""
        if self._file < 0:
            return
        *lines, rest = (self._parts[stream] + data).split(b"\n")
        records = [self._record(stream, piece) for line in lines for piece in _pieces(line + b"\n")]
        while len(rest) >= _LONGEST:
            records.append(self._record(stream, rest[:_LONGEST]))
            rest = rest[_LONGEST:]
        self._parts[stream] = rest
        self._append(records)

    def finish(self) -> None:
        """The container has ended: a last line without an end is written as it is."""
        for stream, rest in self._parts.items():
            if rest:
                self._append([self._record(stream, rest)])
            self._parts[stream] = b""

    def _record(self, stream: str, line: bytes) -> bytes:
        text = dumps(line.decode("utf-8", "replace"), ensure_ascii=False)
        for letter, escape in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
            text = text.replace(letter, escape)
        rest = f'"stream":"{stream}",{self._attributes}"time":"{moments.now()}"'
        return f'{{"log":{text},{rest}}}\n'.encode()

    def _append(self, records: list[bytes]) -> None:
        try:
            for data in records if self._size else [b"".join(records)]:
                if self._size and self._room <= 0:
                    self._begin()
                self._room -= len(data)
                # Behind a line that had no room as a whole the next begins anew, or both were lost.
                data = b"\n" + data if self._torn else data
                while data and self._file >= 0:
                    count = os.write(self._file, data)
                    self._torn = data[count - 1 : count] != b"\n"
                    data = data[count:]
        except OSError:
            return

    def _begin(self) -> None:
        """Begin a new file; the ones before move up by one, and the oldest goes.

        Raises OSError; before any of them moves when there is no room for another.
        """
        if self._files == 1:
            os.ftruncate(self._file, 0)
        else:
            new = _opened(f"{self._path}.new")
            for number in range(self._files - 1, 0, -1):
                before = f"{self._path}.{number - 1}" if number > 1 else self._path
                if os.path.exists(before):
                    os.rename(before, f"{self._path}.{number}")
            os.rename(f"{self._path}.new", self._path)
            full, self._file = self._file, new
            os.close(full)
        self._room, self._torn = self._size, False


def _opened(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)


def _is_torn(file: int) -> bool:
    size = os.fstat(file).st_size
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"


def _pieces(line: bytes) -> list[bytes]:
    return [line[at : at + _LONGEST] for at in range(0, len(line), _LONGEST)]
