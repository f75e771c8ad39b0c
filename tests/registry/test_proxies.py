"""Which requests go through a proxy, and that they really do."""

from __future__ import annotations

import base64
import http.server
import threading

import pytest

from millefeuille.registry.credential import Credential
from millefeuille.registry.daemonjson import DaemonJson
from millefeuille.registry.hosts import Hosts
from millefeuille.registry.proxies import BadProxy, Proxies, credentials_of
from millefeuille.registry.transport import ForbiddenTarget

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("direct", "url", "used"),
    [
        ("", "https://registry.example/v2/", True),
        ("registry.example", "https://registry.example/v2/", False),
        ("example", "https://registry.example/v2/", False),
        (".example", "https://registry.example/v2/", False),
        ("*.example", "https://registry.example/v2/", False),
        ("xample", "https://registry.example/v2/", True),
        ("registry.example:444", "https://registry.example/v2/", True),
        ("registry.example:443", "https://registry.example/v2/", False),
        ("other, REGISTRY.example ,", "https://registry.example/v2/", False),
        ("registry.example:²", "https://registry.example/v2/", True),
        ("registry.example:" + "9" * 5000, "https://registry.example/v2/", True),
        ("*", "https://registry.example/v2/", False),
        ("10.0.0.0/8", "https://10.1.2.3/v2/", False),
        ("10.0.0.0/8", "https://11.1.2.3/v2/", True),
        ("10.1.2.3", "https://10.1.2.3:5000/v2/", False),
        ("", "http://127.0.0.1:5000/v2/", False),
        ("", "https://localhost/v2/", False),
        ("", "http://[::1]:5000/v2/", False),
    ],
)
def test_way(direct, url, used):
    proxies = Proxies(by_scheme={"http": PROXY, "https": PROXY}, direct=direct)
    assert proxies.way(url) == (PROXY if used else None)


@pytest.mark.parametrize(
    ("environment", "by_scheme"),
    [
        ({"HTTPS_PROXY": PROXY}, {"https": PROXY}),
        ({"https_proxy": "proxy.example:3128"}, {"https": PROXY}),
        ({"HTTP_PROXY": PROXY, "http_proxy": "http://lower.example"}, {"http": "http://lower.example"}),
        ({"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, {}),
        ({"HTTP_PROXY": ""}, {}),
    ],
)
def test_load(environment, by_scheme):
    assert Proxies.load(environment).by_scheme == by_scheme


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("socks5://us:canary@px.example:1080", "SOCKS proxies are not supported"),
        ("socks5h://px.example", "SOCKS proxies are not supported"),
        ("http://us:canary@[bad", "not the URL of an HTTP proxy"),
        ("http://us:canary@px:notaport", "not the URL of an HTTP proxy"),
        ("http://us:can/ary@px:3128", "not the URL of an HTTP proxy"),
        ("http://px:70000", "not the URL of an HTTP proxy"),
        ("http://px:0", "not the URL of an HTTP proxy"),
        ("http://p x:1", "not the URL of an HTTP proxy"),
        ("ftp://x", "not the URL of an HTTP proxy"),
        (":::", "not the URL of an HTTP proxy"),
        ("://", "not the URL of an HTTP proxy"),
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_a_proxy_that_cannot_be(variable, value, words):
    proxies = Proxies.load({variable: value, "no_proxy": "direct.example"})
    with pytest.raises(BadProxy, match=f"^{variable}: {words}") as caught:
        proxies.way("https://registry.example/v2/")
    assert "can" not in str(caught.value)
    for direct in ("https://127.0.0.1:5000/v2/", "https://direct.example/v2/", "http://registry.example/v2/"):
        assert proxies.way(direct) is None


def test_account_of_a_proxy():
    account = credentials_of("http://us%40er:p%3Aw%E9@proxy.example:3128")
    assert account == Credential(username="us@er", password="p:w\udce9")
    assert base64.b64decode(account.encoded) == b"us@er:p:w\xe9"
    assert credentials_of(PROXY) is None
    assert "p%3Aw" not in repr(Proxies(by_scheme={"http": "http://us:p%3Aw@proxy.example"}))


def test_requests_go_through_it(registry, make_client):
    """A proxy that answers for registry.example from a registry that has another name."""
    lines, accounts = [], []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            lines.append(self.requestline)
            accounts.append(self.headers.get("Proxy-Authorization"))
            self.send_response(302)
            self.send_header("Location", self.path.replace("registry.example", registry.host))
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD

        def log_message(self, *_: object) -> None: ...

    registry.add_image("team/app", "1", [b"x"])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as proxy:
        threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        client = make_client(
            hosts=Hosts(daemon=DaemonJson(insecure=frozenset({"registry.example"}), mirrors=())),
            proxies=Proxies(by_scheme={"http": f"http://us:pw@127.0.0.1:{proxy.server_port}"}),
        )
        # The redirect to loopback is refused for a registry that is public as far as one can tell.
        with pytest.raises(ForbiddenTarget, match=r"refused to connect to 127\.0\.0\.1, a loopback address"):
            client.resolve("registry.example/team/app:1")
        proxy.shutdown()
    assert lines[0].startswith("GET http://registry.example/v2/ HTTP/1.1")
    assert accounts[0] == "Basic dXM6cHc="
    assert not registry.requests
