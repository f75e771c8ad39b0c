"""A registry in a thread, which does what it should, or what a test asks it to do wrong.

    with FakeRegistry() as registry:
        image = registry.add_image("team/app", "1", [layer])
        registry.faults.append(Fault(where="GET .*/blobs/", truncate=1000))

It keeps everything in memory, listens on loopback, and records every request it gets.
"""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from millefeuille.testing.faults import Fault
from millefeuille.testing.registrycontent import Content, Reply, answer
from millefeuille.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)


@dataclass(kw_only=True)
class FakeRegistry(Content):
    """The registry: its content, behind a socket. With `tls` it speaks HTTPS only."""

    tls: ssl.SSLContext | None = None
    address: str = "127.0.0.1"
    faults: list[Fault] = field(default_factory=list)
    requests: list[Recorded] = field(default_factory=list)
    connections: int = 0  # accepted until now
    closing: threading.Event = field(default_factory=threading.Event)
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> FakeRegistry:
        handler = type("Handler", (_Handler,), {"registry": self})
        server = self._server = _Server((self.address, 0), handler)
        if self.tls is not None:
            server.socket = self.tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.realm = self.realm or f"{self.url}/token"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._server is not None
        return int(self._server.server_address[1])

    @property
    def host(self) -> str:
        """`host:port`, as it stands in references."""
        return f"{self.address}:{self.port}"

    @property
    def url(self) -> str:
        """The root URL."""
        return f"{'https' if self.tls else 'http'}://{self.host}"

    def seen(self, pattern: str) -> list[Recorded]:
        """The requests whose `METHOD path?query` the pattern is found in."""
        return [r for r in list(self.requests) if re.search(pattern, f"{r.method} {r.path}")]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    registry: FakeRegistry
    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self.registry.connections += 1

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        line = f"{self.command} {self.path}"
        fault = next((fault for fault in self.registry.faults if fault.take(line)), None) or Fault(where="")
        if fault.early or fault.keep is not None:
            self.close_connection = True
        body = b"" if self.close_connection and fault.early else self._read_body(fault.keep)
        headers = dict(self.headers.items())
        self.registry.requests.append(
            Recorded(method=self.command, path=self.path, headers=headers, body=body)
        )
        if fault.keep is not None:
            self.registry.sessions[urlsplit(self.path).path.rpartition("/")[2]] += body
            return
        if fault.status is not None:
            reply = Reply(status=fault.status, headers=dict(fault.headers), body=fault.body)
        else:
            reply = answer(self.registry, self.command, self.path, self.headers, body, fault)
            reply.headers.update(fault.headers)
        if fault.silent:
            self.close_connection = True
            return
        self._send(reply, fault)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _read_body(self, limit: int | None = None) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            length = int(self.headers.get("Content-Length") or 0)
            return self.rfile.read(length if limit is None else min(limit, length))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _send(self, reply: Reply, fault: Fault) -> None:
        body = bytearray(reply.body)
        if fault.corrupt is not None and fault.corrupt < len(body):
            body[fault.corrupt] ^= 0xFF
        body += fault.extra
        self.send_response(reply.status)
        names = {name.lower() for name in reply.headers}
        if fault.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        elif "content-length" not in names:
            self.send_header("Content-Length", str(len(body)))
        for name, value in reply.headers.items():
            if name.lower() not in fault.drop:
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(bytes(body), fault)

    def _send_body(self, body: bytes, fault: Fault) -> None:
        stops = [stop for stop in (fault.truncate, fault.reset, fault.stall) if stop is not None]
        limit = min(stops) if stops else None
        data = memoryview(body)[: limit if limit is not None else len(body)]
        step = fault.piece if fault.slow or fault.chunked else max(len(data), 1)
        for start in range(0, len(data), step):
            piece = data[start : start + step]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece) if fault.chunked else piece)
            if fault.slow:
                time.sleep(fault.slow)
        if limit is None:
            self.wfile.write(b"0\r\n\r\n" if fault.chunked else b"")
            return
        if fault.stall is not None:
            self.registry.closing.wait(30)
        if fault.reset is not None:
            # Lingering for no time makes the kernel send RST instead of FIN.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.wfile.flush()
        if fault.reset is not None:
            self.connection.close()
