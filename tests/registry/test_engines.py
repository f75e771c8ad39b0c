"""Other engines that talk too much, and callers that fail while one is asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from millefeuille.registry.engines import NoImageThere, docker_archive, podman_archive


def test_complaints_do_not_stop_what_podman_sends(tmp_path: Path) -> None:
    program = tmp_path / "podman"
    chatter = "yes x | head -c 300001 >&2; echo >&2; echo last >&2"
    program.write_text(f"#!/bin/sh\n{chatter}; printf data; exit $CODE\n")
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "CODE": "0"}
    with podman_archive("x", environment) as read:
        assert (read(10), read(10)) == (b"data", b"")
    with podman_archive("x", {**environment, "CODE": "3"}) as read:
        assert read(10) == b"data"
        with pytest.raises(NoImageThere, match=r"^podman: last$"):
            read(10)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"data")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def host() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"tcp://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_failure_of_the_caller_is_none_of_the_engine(host: str) -> None:
    with pytest.raises(PermissionError), docker_archive("x", {"DOCKER_HOST": host}) as read:
        assert read(10) == b"data"
        raise PermissionError("of the caller")
