"""The state file: what the monitor tells all others of its container."""

from __future__ import annotations

import os
import time

from millefeuille.containers.monitor.overwriting import NO_ROOM, overwrite

_PAUSE = 1.0  # seconds until what could not be written is tried again


class StateFile:
    """`due` is when to try `again` what could not be written, by the monotonic clock."""

    def __init__(self, path: str) -> None:
        self.due = float("inf")
        self._path = path
        self._data = b""

    def write(self, data: bytes, *, durable: bool = False) -> None:
        """Write it whole, by rename; on a full disk over the old one. What cannot be written at all is kept
        for later, and the file stays as it is until then.
        """
        self._data = data
        try:
            self._save(durable=durable)
            self.due = float("inf")
        except OSError:
            self.due = time.monotonic() + _PAUSE

    def again(self) -> None:
        """Try once more."""
        self.write(self._data)

    def _save(self, *, durable: bool) -> None:
        temporary = f"{self._path}.tmp-monitor"
        try:
            file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                written = os.write(file, self._data)
                while written < len(self._data):  # the disk has just become full: the next one says so
                    written += os.write(file, self._data[written:])
                if durable:
                    os.fsync(file)
            finally:
                os.close(file)
            os.rename(temporary, self._path)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            overwrite(self._path, self._data)
            try:
                os.unlink(temporary)
            except FileNotFoundError:  # there was no room for its name
                return
