"""Agent: a socket in the place of an SSH agent's, through which commands get keys and signatures only.

What would add, remove or lock keys, or use an extension, is answered with a failure, and the agent never
hears of it. Source: draft-ietf-sshm-ssh-agent; OpenSSH, authfd.h.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading

from millefeuille import files
from millefeuille.annotations import Final

_LENGTH: Final = struct.Struct(">I")
_LONGEST: Final = 256 << 10  # bytes of a message; OpenSSH's own limit
_ALLOWED: Final = frozenset((11, 13))  # SSH_AGENTC_REQUEST_IDENTITIES, SSH_AGENTC_SIGN_REQUEST
_FAILURE: Final = _LENGTH.pack(1) + b"\x05"  # SSH_AGENT_FAILURE


class AgentProxy:
    """Listens at the new socket `path`, with owner and mode, until `close`, and asks the agent at `agent`."""

    def __init__(self, path: str, agent: str, *, mode: int, uid: int, gid: int) -> None:
        """Raises OSError."""
        self._agent = agent
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            files.act("create", path)
            self._listener.bind(path)
            os.chown(path, uid, gid)
            os.chmod(path, mode)
            self._listener.listen()
        except BaseException:
            self._listener.close()
            raise
        self._thread = threading.Thread(target=self._accept, name="agent", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more, and end what is going on."""
        with self._lock:
            self._closed = True
            for one in (self._listener, *self._open):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        threads = []
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                break
            if not self._register(client):
                client.close()
                break
            threads.append(threading.Thread(target=self._serve, args=(client,), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join()

    def _register(self, one: socket.socket) -> bool:
        with self._lock:
            if not self._closed:
                self._open.add(one)
            return not self._closed

    def _serve(self, client: socket.socket) -> None:
        agent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            agent.connect(self._agent)
            if self._register(agent):
                while (message := _message(client)) is not None:
                    answer = self._asked(agent, message)
                    if answer is None:
                        break
                    client.sendall(answer)
        except OSError:
            pass  # either of them has gone
        finally:
            with self._lock:
                self._open -= {client, agent}
            client.close()
            agent.close()

    def _asked(self, agent: socket.socket, message: bytes) -> bytes | None:
        if not message or message[0] not in _ALLOWED:
            return _FAILURE
        agent.sendall(_LENGTH.pack(len(message)) + message)
        answer = _message(agent)
        return None if answer is None else _LENGTH.pack(len(answer)) + answer


def _message(one: socket.socket) -> bytes | None:
    """The next message; None at the end, or for one that is too long."""
    head = _exactly(one, _LENGTH.size)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    return _exactly(one, length) if length <= _LONGEST else None


def _exactly(one: socket.socket, size: int) -> bytes | None:
    data = b""
    while len(data) < size:
        piece = one.recv(size - len(data))
        if not piece:
            return None
        data += piece
    return data
