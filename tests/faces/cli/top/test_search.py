"""`search`, at an index on this machine's loopback."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator

import pytest
from tests.faces.cli.home import Home

RESULTS = [
    {"name": "nginx", "description": "Official build of\nNginx.", "star_count": 20500, "is_official": True},
    {
        "name": "team/nginx", "description": "A description that is longer than forty-five characters",
        "star_count": 3, "is_official": False, "is_automated": False,
    },
]  # fmt: skip
TABLE = """\
NAME         DESCRIPTION                                     STARS     OFFICIAL
nginx        Official build of Nginx.                        20500     [OK]
team/nginx   A description that is longer than forty-five…   3         
"""  # noqa: W291  # Docker's last column is empty here, but the one before it is padded


class Index(http.server.BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        found = self.path.startswith("/v1/search?q=nginx&")
        body = json.dumps({"results": RESULTS, "num_results": 2}).encode() if found else b"{}"
        self.send_response(200 if "q=" in self.path else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def index() -> Iterator[tuple[str, list[str]]]:
    """An index's host and port, and the paths it was asked for."""
    asked: list[str] = []
    handler = type("Handler", (Index,), {"asked": asked})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_the_table(home: Home, index: tuple[str, list[str]]) -> None:
    host, asked = index
    assert home.mille("search", f"{host}/nginx") == (TABLE, "", 0)
    assert asked == ["/v1/search?q=nginx&n=25"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--format", "{{.Name}} {{.StarCount}} {{.IsOfficial}}"], "nginx 20500 [OK]\nteam/nginx 3 \n"),
        (["-f", "stars=10", "--format", "{{.Name}}"], "nginx\n"),
        (["-f", "is-official=false", "--format", "{{.Name}}"], "team/nginx\n"),
        (["-f", "is-automated=true", "--format", "{{.Name}}"], ""),
        (["--no-trunc", "-f", "stars=0", "-f", "is-official=0", "--format", "{{.Description}}"],
         "A description that is longer than forty-five characters\n"),
        (["-f", "is-official=1", "--format", "json"],
         '{"Description":"Official build of Nginx.","IsOfficial":"true","Name":"nginx",'
         '"StarCount":"20500"}\n'),
    ],
)  # fmt: skip
def test_filters_and_formats(
    home: Home, index: tuple[str, list[str]], words: list[str], expected: str
) -> None:
    assert home.mille("search", *words, f"{index[0]}/nginx") == (expected, "", 0)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--limit", "200"], "limit 200 is outside the range of [1, 100]"),
        (["-f", "foo=1"], "invalid filter 'foo'"),
        (["-f", "stars=x"], "invalid filter 'stars=x'"),
        (["-f", "is-official=maybe"], "invalid filter 'is-official=[maybe]'"),
    ],
)
def test_refusals(home: Home, words: list[str], complaint: str) -> None:
    assert home.mille("search", *words, "127.0.0.1:1/x") == ("", f"Error: {complaint}\n", 1)


def test_an_index_that_is_not_there(home: Home) -> None:
    words = 'Get "http://127.0.0.1:1/v1/search?q=x&n=25": dial tcp 127.0.0.1:1: connect: connection refused'
    assert home.mille("search", "127.0.0.1:1/x") == ("", f"Error: {words}\n", 1)


def test_an_answer_that_is_none(home: Home, index: tuple[str, list[str]]) -> None:
    out, err, code = home.mille("search", f"{index[0]}/other")
    assert (out, code) == ("", 1)
    assert err.startswith("Error: ")
