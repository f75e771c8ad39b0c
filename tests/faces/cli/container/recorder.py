"""What Docker's own client sends for `docker create ...`: recorded through a daemon that only listens.

python -m tests.faces.cli.container.recorder      # writes vectors/create.json from vectors/create.txt
"""

from __future__ import annotations

import http.server
import json
import os
import shlex
import socketserver
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

VECTORS = Path(__file__).parent / "vectors"
CASES = VECTORS / "create.txt"
RECORDED = VECTORS / "create.json"
FILES = VECTORS / "files"
HERE = "/PATH"
WHOLE = 30  # words of a command line whose request is kept in full
ENVIRONMENT = {"HOSTVAR": "from the host"}


_HEADERS = (("Api-Version", "1.50"), ("Ostype", "linux"), ("Content-Type", "application/json"))


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None:
        pass

    def address_string(self) -> str:
        return ""

    def do_HEAD(self) -> None:
        self._answer(200, b"")

    def do_GET(self) -> None:
        self._answer(200, b"{}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        assert isinstance(self.server, Listener)
        if not urlsplit(self.path).path.endswith("/containers/create"):
            self._answer(404, b'{"message":"not here"}')
            return
        self.server.bodies.append((dict(parse_qsl(urlsplit(self.path).query)), json.loads(body)))
        self._answer(201, b'{"Id":"0123456789ab","Warnings":[]}')

    def _answer(self, code: int, body: bytes) -> None:
        self.send_response(code)
        for name, value in _HEADERS:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Listener(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """A daemon that takes every container and makes none."""

    daemon_threads = True

    def __init__(self, path: str) -> None:
        super().__init__(path, _Handler)
        self.bodies: list[tuple[dict[str, str], Any]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that refuses its command line hangs up on the way; nothing to say about that."""


def record(words: list[str], directory: str, listener: Listener) -> dict[str, Any]:
    """One call of the client: what it sent (None when it refused), what it said, how it ended."""
    listener.bodies.clear()
    environment = {
        **ENVIRONMENT, "PATH": os.environ["PATH"], "HOME": directory, "DOCKER_CONFIG": directory,
        "DOCKER_HOST": f"unix://{listener.server_address}",
    }  # fmt: skip
    done = subprocess.run(
        ["docker", "create", *words], cwd=directory, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    for left in ("cid",):
        Path(directory, left).unlink(missing_ok=True)
    query, body = listener.bodies[0] if listener.bodies else ({}, None)
    entry = {"words": words, "code": done.returncode, "stderr": done.stderr, "query": query, "body": body}
    told: dict[str, Any] = json.loads(json.dumps(entry).replace(directory, HERE))
    return told


def record_all(cases: list[list[str]]) -> list[dict[str, Any]]:
    """Every case, in a directory of its own that holds the files."""
    with tempfile.TemporaryDirectory() as directory:
        for file in FILES.iterdir():
            Path(directory, file.name).write_bytes(file.read_bytes())
        listener = Listener(os.path.join(directory, "s"))
        try:
            return [record(words, directory, listener) for words in cases]
        finally:
            listener.shutdown()
            listener.server_close()


def cases() -> list[list[str]]:
    """The command lines of `create.txt`."""
    return [shlex.split(line) for line in CASES.read_text().splitlines()]


def shortened(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries with only those members of a request that the first one lacks or has otherwise.

    The first, and one with many flags, stay whole: they tell the order of the members.
    """
    plain = entries[0]["body"]
    return [
        entry if n == 0 or len(entry["words"]) > WHOLE or entry["body"] is None
        else {**entry, "body": None, "differs": _difference(entry["body"], plain)}
        for n, entry in enumerate(entries)
    ]  # fmt: skip


def _difference(body: dict[str, Any], plain: dict[str, Any]) -> dict[str, Any]:
    found = {name: value for name, value in body.items() if plain.get(name, ...) != value}
    if "HostConfig" in found:
        host = plain["HostConfig"]
        found["HostConfig"] = {k: v for k, v in body["HostConfig"].items() if host.get(k, ...) != v}
    return found


def restored(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries that `shortened` shortened."""
    plain = entries[0]["body"]
    return [
        {**entry, "body": {
            **plain, **entry["differs"],
            "HostConfig": {**plain["HostConfig"], **entry["differs"].get("HostConfig", {})},
        }} if "differs" in entry else entry
        for entry in entries
    ]  # fmt: skip


if __name__ == "__main__":
    lines = ",\n".join(json.dumps(entry) for entry in shortened(record_all(cases())))
    RECORDED.write_text(f"[\n{lines}\n]\n")
