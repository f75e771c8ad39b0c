"""What ADD fetches, from a server of the test's own."""

from __future__ import annotations

import hashlib
import http.server
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from millefeuille.build.sources.download import (
    BadAnswer,
    BadRedirect,
    ChecksumMismatch,
    Downloads,
    Known,
    LostDownload,
    TooLarge,
    authorization,
    file_name,
)
from millefeuille.errors import MilleError
from millefeuille.oci.digest import Digest
from millefeuille.registry import dial
from millefeuille.registry.address import Reach
from millefeuille.registry.patience import Patience
from millefeuille.registry.proxies import Proxies
from millefeuille.registry.transport import ForbiddenTarget, Transport

CONTENT = b"content" * 100_000


@dataclass
class Server:
    """Answers by path; `seen` are the requests."""

    address: str = ""
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    failures: int = 0


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            made.seen.append((self.path, dict(self.headers)))
            path = self.path.partition("?")[0]
            if path.startswith("/to/"):
                self._answer(302, {"Location": self.path.removeprefix("/to/")})
            elif path == "/loop":
                self._answer(302, {"Location": "/loop"})
            elif path == "/busy" and made.failures:
                made.failures -= 1
                self._answer(503, {})
            elif path == "/short" and made.failures:
                made.failures -= 1
                self._answer(200, {"Content-Length": str(len(CONTENT))}, CONTENT[:1000])
                self.close_connection = True
            elif path == "/missing":
                self._answer(404, {})
            elif self.headers.get("If-None-Match") == '"e"':
                self._answer(304, {})
            else:
                headers = {"ETag": '"e"', "Last-Modified": "Sun, 09 Sep 2001 01:46:40 GMT"}
                self._answer(200, headers, CONTENT)

        def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    made.address = f"http://127.0.0.1:{running.server_address[1]}"
    yield made
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def downloads() -> Iterator[Downloads]:
    patience = Patience(connect=5, answer=5, attempts=3, sleep=lambda seconds: None)
    transport = Transport(Proxies(), patience)
    yield Downloads(transport, patience)
    transport.close()


def test_a_file(server: Server, downloads: Downloads, tmp_path: Path) -> None:
    found = downloads.fetch(f"{server.address}/a/b%20c.txt?q#f", str(tmp_path / "x"))
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert (tmp_path / "x").stat().st_mode & 0o7777 == 0o600
    assert (found.name, found.size, found.modified, found.etag) == (
        "b c.txt",
        len(CONTENT),
        1_000_000_000,
        '"e"',
    )
    assert found.digest == Digest.of(CONTENT)
    assert server.seen[0][0] == "/a/b%20c.txt?q"


def test_what_is_known_is_not_fetched(server: Server, downloads: Downloads, tmp_path: Path) -> None:
    assert downloads.fetch_newer(f"{server.address}/a", str(tmp_path / "x"), Known(etag='"e"')) is None
    assert downloads.fetch_newer(f"{server.address}/a", str(tmp_path / "x"), Known(etag='"f"')) is not None
    with pytest.raises(BadAnswer, match="304"):
        downloads.fetch(f"{server.address}/a", str(tmp_path / "y"), headers={"If-None-Match": '"e"'})


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_checksums(server: Server, downloads: Downloads, tmp_path: Path, algorithm: str) -> None:
    right = Digest(algorithm, hashlib.new(algorithm, CONTENT).hexdigest())
    wrong = Digest(algorithm, hashlib.new(algorithm, b"").hexdigest())
    assert downloads.fetch(f"{server.address}/a", str(tmp_path / "x"), checksum=right) is not None
    with pytest.raises(ChecksumMismatch, match=right.hex):
        downloads.fetch(f"{server.address}/a", str(tmp_path / "y"), checksum=wrong)
    assert os.listdir(tmp_path) == ["x"]


@pytest.mark.parametrize("path", ["busy", "short"])
def test_another_try(server: Server, downloads: Downloads, tmp_path: Path, path: str) -> None:
    server.failures = 2
    assert downloads.fetch(f"{server.address}/{path}", str(tmp_path / "x")) is not None
    assert len(server.seen) == 3
    assert (tmp_path / "x").read_bytes() == CONTENT
    server.failures = 100
    with pytest.raises((BadAnswer, LostDownload)):
        downloads.fetch(f"{server.address}/{path}", str(tmp_path / "y"))
    assert os.listdir(tmp_path) == ["x"]


def test_refusals(server: Server, downloads: Downloads, tmp_path: Path) -> None:
    for path, error, words in (
        ("missing?token=secret", BadAnswer, r"/missing: invalid response status 404$"),
        ("loop", BadRedirect, "10 redirects"),
        ("to/file:///etc/passwd", BadRedirect, "file"),
        ("to/ftp://h/x", BadRedirect, "ftp"),
    ):
        with pytest.raises(error, match=words) as caught:
            downloads.fetch(f"{server.address}/{path}", str(tmp_path / "x"))
        assert "secret" not in str(caught.value)
    with pytest.raises(TooLarge):
        downloads.fetch(f"{server.address}/a", str(tmp_path / "x"), limit=len(CONTENT) - 1)
    with pytest.raises(MilleError):
        downloads.fetch("http://127.0.0.1:1/x", str(tmp_path / "x"))
    assert os.listdir(tmp_path) == []


def test_an_account_goes_to_its_host_alone(server: Server, downloads: Downloads, tmp_path: Path) -> None:
    headers = {"Authorization": "Bearer secret"}
    downloads.fetch(f"{server.address}/to//a", str(tmp_path / "x"), headers=headers)
    assert [seen.get("Authorization") for _, seen in server.seen] == ["Bearer secret"] * 2
    server.seen.clear()
    other = server.address.replace("127.0.0.1", "localhost")
    downloads.fetch(f"{server.address}/to/{other}/a", str(tmp_path / "y"), headers=headers)
    assert [seen.get("Authorization") for _, seen in server.seen] == ["Bearer secret", None]


def test_nobody_far_away_sends_us_home(
    server: Server, downloads: Downloads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial, "reach_of", lambda address: Reach.PUBLIC)
    monkeypatch.setattr(Transport, "reach", lambda self, host: Reach.PUBLIC)
    with pytest.raises(ForbiddenTarget):
        downloads.fetch(f"{server.address}/to/{server.address}/a", str(tmp_path / "x"))


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://h/a/b.tgz", "b.tgz"), ("https://h/a%2Fb", "b"), ("https://h", "__unnamed__"),
        ("https://h/a/", "a"), ("https://h/..", "__unnamed__"), ("https://h/a?x=/b", "a"),
        ("https://h/%00", "__unnamed__"),
    ],
)  # fmt: skip
def test_names(url: str, name: str) -> None:
    assert file_name(url) == name


def test_secrets_for_a_host() -> None:
    secrets = {"HTTP_AUTH_TOKEN_h": b"t\n", "HTTP_AUTH_HEADER_g:8080": b"Basic x"}
    assert authorization("https://h/x", secrets.get) == {"Authorization": "Bearer t"}
    assert authorization("https://u@g:8080/x", secrets.get) == {"Authorization": "Basic x"}
    assert authorization("https://g/x", secrets.get) == {}
