"""The journal: what befell containers, networks and volumes, a JSON object a line, in the order it happened.

    <root>/journal, <root>/journal.1

These happen too often, and in processes too small, for a transaction each. A line is appended by one write,
so lines never mix. Nobody waits for the disk: a line that cannot be written is lost, not what it tells of. A
file that is full becomes the older one, and the one before that goes.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Mapping

from millefeuille.annotations import Final
from millefeuille.plainjson import dumps, loads
from millefeuille.values import dataclass

_FULL: Final = 1 << 20  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """`action` befell the `kind` of object that `actor` names, at `at_ns`, nanoseconds since 1970."""

    at_ns: int
    kind: str
    action: str
    actor: str
    attributes: Mapping[str, str]


def note(path: str, kind: str, action: str, actor: str, attributes: Mapping[str, str]) -> None:
    """Append one line. Never raises OSError."""
    told = {
        "at": time.time_ns(), "kind": kind, "action": action, "actor": actor, "attributes": dict(attributes),
    }  # fmt: skip
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, f"{dumps(told)}\n".encode())
            if os.fstat(descriptor).st_size > _FULL:
                _turn(path, descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        return


def note_prune(path: str, kind: str, reclaimed: int = 0) -> None:
    """Append that what was not needed of a kind was removed, whether or not there was any; bytes."""
    note(path, kind, "prune", "", {"reclaimed": str(reclaimed)})


def _turn(path: str, descriptor: int) -> None:
    """Make a full file the older one, unless another process does, or has done so."""
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if os.path.samestat(os.stat(path), os.fstat(descriptor)):
        os.rename(path, f"{path}.1")


class Reader:
    """Reads the journal at `path` on and on."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._inode = 0
        self._offset = 0

    def fresh(self) -> list[Happening]:
        """What has been noted since the last call; at first, all that is there. Raises OSError."""
        now, older = _inode(self.path), f"{self.path}.1"
        lines: list[bytes] = []
        if now != self._inode or not now:
            # What is left of the file that was read on, which is the older one by now; all of it at first.
            offset = self._offset if _inode(older) == self._inode else 0
            lines += self._rest(older, offset)
            if now:
                self._inode, self._offset = now, 0
            else:
                self._inode = _inode(older)
        if now:
            lines += self._rest(self.path, self._offset)
        return [found for found in map(_happening, lines) if found is not None]

    def _rest(self, path: str, offset: int) -> list[bytes]:
        """Whole lines behind an offset, which is moved behind them."""
        try:
            with open(path, "rb") as file:
                file.seek(offset)
                data = file.read()
        except FileNotFoundError:
            return []
        whole, end, _ = data.rpartition(b"\n")
        self._offset = offset + len(whole) + len(end)
        return whole.split(b"\n") if end else []


def _inode(path: str) -> int:
    try:
        return os.stat(path).st_ino
    except FileNotFoundError:
        return 0


def _happening(line: bytes) -> Happening | None:
    """None for a line that a crash cut off."""
    try:
        told = loads(line)
        return Happening(
            at_ns=int(told["at"]), kind=str(told["kind"]), action=str(told["action"]),
            actor=str(told["actor"]), attributes=dict(told["attributes"]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError):
        return None
