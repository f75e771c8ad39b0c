"""A client's connection to a container's monitor. The frames are told in `monitor/clients.py`."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator

from millefeuille.annotations import Final
from millefeuille.containers import records
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.errors import Conflict
from millefeuille.later import Later

TYPE_CHECKING = False
if TYPE_CHECKING:
    import fcntl
    import socket
    import termios
else:
    fcntl = Later("fcntl")
    socket = Later("socket")
    termios = Later("termios")

_HEAD = struct.Struct(">cI")
_PEER = struct.Struct("=iII")  # struct ucred: process, user, group; see unix(7)
_TIME = struct.Struct("@ll")  # struct timeval; all zero: no limit, see socket(7)
_PATIENCE: Final = 10  # seconds for a monitor to take one more client


class NotRunning(Conflict):
    """The container has no monitor: it does not run."""


class Unanswering(Conflict):
    """The container has a monitor that takes no clients any more: it is halted, or stuck."""


class OutOfReach(Conflict):
    """The container runs, and what leads to its monitor is gone."""


def refuse_unreachable(place: Place, container: Container) -> None:
    """Raise OutOfReach for a container that runs, and whose run directory is gone."""
    bundle = place.bundle(container.id)
    if not os.path.isdir(bundle) and records.state(place, container.id).running:
        raise OutOfReach(
            f"container {container.name} cannot be reached: {bundle} is gone",
            advice=f"Its session may have ended. `mille restart {container.name}` starts it anew.",
        )


class Connection:
    """Frames over a stream socket, blocking."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._received = bytearray()

    def fileno(self) -> int:
        """The socket's descriptor, to be waited for."""
        return self._socket.fileno()

    def send(self, kind: bytes, payload: bytes = b"") -> bool:
        """Send one frame; False when the monitor is gone."""
        return self.send_all((kind, payload))

    def send_all(self, *frames: tuple[bytes, bytes]) -> bool:
        """Send frames of which the monitor gets all or none, whenever this process is killed; False when it
        is gone.
        """
        try:
            self._socket.sendall(b"".join(_HEAD.pack(kind, len(data)) + data for kind, data in frames))
        except OSError:
            return False
        return True

    def receive(self) -> list[tuple[bytes, bytes]] | None:
        """Wait for bytes, and give the frames that are whole; None when the monitor is gone."""
        try:
            data = self._socket.recv(1 << 17)
        except OSError:
            return None
        if not data:
            return None
        self._received += data
        frames = []
        while len(self._received) >= _HEAD.size:
            kind, length = _HEAD.unpack_from(self._received)
            end = _HEAD.size + length
            if len(self._received) < end:
                break
            frames.append((kind, bytes(self._received[_HEAD.size : end])))
            del self._received[:end]
        return frames

    def await_end(self, timeout: float | None = None) -> int | None:
        """The exit code, once the container has ended for good; None when it has not after `timeout` seconds,
        or when the monitor went without a word.
        """
        return self._await((b"q",), timeout)

    def await_next_end(self) -> int | None:
        """The exit code, once the container has ended, whether it is started again then or not; None when the
        monitor went without a word.
        """
        self.send(b"w")
        return self._await((b"q", b"n"), None)

    def _await(self, kinds: tuple[bytes, ...], timeout: float | None) -> int | None:
        self._socket.settimeout(timeout)
        while (frames := self.receive()) is not None:
            for kind, payload in frames:
                if kind in kinds:
                    return int(payload)
        return None

    def is_read(self) -> bool:
        """Whether the monitor has taken all that was sent."""
        return bool(fcntl.ioctl(self._socket, termios.TIOCOUTQ, bytes(4)) == bytes(4))

    def monitor(self) -> int:
        """The process ID of the monitor, as it was when it began to listen; 0 where it cannot be seen."""
        told = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        return int(_PEER.unpack(told)[0])

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


@contextlib.contextmanager
def connected(place: Place, id: str, *, patience: int = _PATIENCE) -> Iterator[Connection]:
    """A connection to a container's monitor, which has `patience` seconds to take it, 0 for as long as it
    lives. Raises NotRunning, Unanswering.
    """
    connection = Connection(_connect(place, id, patience))
    try:
        yield connection
    finally:
        connection.close()


def _connect(place: Place, id: str, patience: int) -> socket.socket:
    """Through the directory's descriptor: the path is longer than an address may be."""
    found = socket.socket(socket.AF_UNIX)
    # The kernel's own limit: with one of Python's, whoever finds the queue full does not wait at all.
    found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _TIME.pack(patience, 0))
    try:
        directory = os.open(place.bundle(id), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            found.connect(f"/proc/self/fd/{directory}/attach.sock")
        finally:
            os.close(directory)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _TIME.pack(0, 0))
    except BlockingIOError:
        found.close()
        raise Unanswering(
            f"container {id[:12]} does not answer: its monitor is halted, or stuck",
            advice=f"`mille rm -f {id[:12]}` ends it all the same.",
        ) from None
    except OSError:
        found.close()
        raise NotRunning(f"container {id} is not running") from None
    return found
