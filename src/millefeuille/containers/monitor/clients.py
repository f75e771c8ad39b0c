"""Who is attached to a container, over the monitor's socket.

Frames in both directions: one letter, the payload's length in four bytes (big-endian), the payload.

    from a client   a attached: it wants output · i input · e end of input · r "rows columns"
                    p "1" or "0": paused or not
                    h "1" or "0": the client holds the container frozen, or is about to; if it vanishes
                    the container is let go
                    k "number": a signal for the container's first process
                    s about to be stopped, start no more · c the client cleans up at the end
                    w it waits for the next end, whether the container is started again or not
                    u "policy retries": a new restart policy
    to a client     o standard output · x standard error · q the exit code, at the very end
                    n the exit code, where the container is started again: who is attached, or waits for
                    the next end, leaves then
"""

from __future__ import annotations

import socket
import struct

_HEAD = struct.Struct(">cI")
_LONGEST = 1 << 20  # bytes of one frame
CROWDED = 1 << 20  # bytes waiting for a client above which output is not read on


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    """One frame."""
    return _HEAD.pack(kind, len(payload)) + payload


class Client:
    """One connection. `attached`: it gets output; `waits`: it is told of the next end; `cleans` is its
    promise to clean up, `holds` that it freezes the container.
    """

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self.connection = connection
        self.waiting = bytearray()
        self.attached = False
        self.waits = False
        self.cleans = False
        self.holds = False
        self.gives_input = False
        self._received = b""

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        """Queue a frame."""
        self.waiting += frame(kind, payload)

    def flush(self) -> bool:
        """Send what goes through; False when the client is gone."""
        try:
            while self.waiting:
                del self.waiting[: self.connection.send(self.waiting)]
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def receive(self) -> list[tuple[bytes, bytes]] | None:
        """The frames that have come in; None when the client is gone, or talks nonsense."""
        try:
            data = self.connection.recv(1 << 16)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data:
            return None
        self._received += data
        frames = []
        while len(self._received) >= _HEAD.size:
            kind, length = _HEAD.unpack_from(self._received)
            if length > _LONGEST:
                return None
            end = _HEAD.size + length
            if len(self._received) < end:
                break
            frames.append((kind, self._received[_HEAD.size : end]))
            self._received = self._received[end:]
        return frames
