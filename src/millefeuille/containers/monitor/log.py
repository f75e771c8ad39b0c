"""The container's output as JSON lines, in the format of Docker's json-file driver."""

from __future__ import annotations

import os

from millefeuille.containers.monitor import moments
from millefeuille.plainjson import dumps

_LONGEST = 16 << 10  # bytes; a longer line becomes several records, of which only the last has its newline


class Log:
    """Appends to the file at `path`; "" keeps nothing. A disk that is full loses lines, not the container."""

    def __init__(self, path: str) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o640) if path else -1
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
        self._append(b"".join(records))

    def finish(self) -> None:
        """The container has ended: a last line without an end is written as it is."""
        for stream, rest in self._parts.items():
            if rest:
                self._append(self._record(stream, rest))
            self._parts[stream] = b""

    def _record(self, stream: str, line: bytes) -> bytes:
        text = dumps(line.decode("utf-8", "replace"), ensure_ascii=False)
        for letter, escape in (("<", "\\u003c"), (">", "\\u003e"), ("&", "\\u0026")):
            text = text.replace(letter, escape)
        return f'{{"log":{text},"stream":"{stream}","time":"{moments.now()}"}}\n'.encode()

    def _append(self, data: bytes) -> None:
        try:
            while data and self._file >= 0:
                data = data[os.write(self._file, data) :]
        except OSError:
            return


def _pieces(line: bytes) -> list[bytes]:
    return [line[at : at + _LONGEST] for at in range(0, len(line), _LONGEST)]
