"""Opening connections: what is refused, and how failures are worded."""

from __future__ import annotations

import socket

import pytest

from millefeuille.registry import dial
from millefeuille.registry.address import Reach
from millefeuille.registry.dial import Dialer, DialError, Forbidden


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_connects_and_remembers(listener):
    dialer = Dialer()
    dialer.dial("127.0.0.1", listener, 1.0, ()).close()
    assert dialer.reaches == {"127.0.0.1": Reach.LOOPBACK}


def test_fence(listener):
    with pytest.raises(Forbidden, match=r"refused to connect to 127\.0\.0\.1, a loopback address"):
        Dialer(Reach.PUBLIC).dial("127.0.0.1", listener, 1.0, ())


def test_allowed_address_among_forbidden_ones(listener, internet):
    internet.names["mixed.example"] = ["127.0.0.9", "127.0.0.1"]
    internet.reaches["127.0.0.1"] = Reach.PUBLIC
    connected = Dialer(Reach.PUBLIC).dial("mixed.example", listener, 1.0, ())
    assert connected.getpeername()[0] == "127.0.0.1"
    connected.close()


def test_next_address_after_a_refusal(listener, internet):
    internet.names["two.example"] = ["127.0.0.9", "127.0.0.1"]
    with Dialer().dial("two.example", listener, 1.0, ()) as connected:
        assert connected.getpeername()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("code", "host", "words", "passing"),
    [
        (socket.EAI_NONAME, "x.example", "no such host", False),
        (socket.EAI_AGAIN, "x.example", "server misbehaving", True),
        (socket.EAI_AGAIN, "x.invalid", "no such host", False),
    ],
)
def test_names_that_do_not_resolve(monkeypatch, code, host, words, passing):
    def fail(*_: object) -> None:
        raise socket.gaierror(code, "text")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setattr(dial, "_nameserver", lambda: "192.0.2.1:53")
    with pytest.raises(DialError) as caught:
        Dialer().dial(host, 443, 1.0, ())
    assert str(caught.value) == f"dial tcp: lookup {host} on 192.0.2.1:53: {words}"
    assert caught.value.passing is passing


def test_name_that_cannot_be_a_name():
    with pytest.raises(DialError, match="no such host"):
        Dialer().dial("a" * 70 + ".example", 443, 1.0, ())


@pytest.mark.parametrize(
    ("error", "words", "passing"),
    [
        (ConnectionRefusedError(111, ""), "connect: connection refused", True),
        (OSError(101, ""), "connect: network is unreachable", True),
        (OSError(113, ""), "connect: no route to host", True),
        (TimeoutError("timed out"), "i/o timeout", True),
        (PermissionError(13, ""), "connect: permission denied", False),
    ],
)
def test_connections_that_fail(monkeypatch, internet, error, words, passing):
    internet.names["far.example"] = ["192.0.2.9"]

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(socket.socket, "connect", fail)
    with pytest.raises(DialError) as caught:
        Dialer().dial("far.example", 443, 1.0, ())
    assert str(caught.value) == f"dial tcp 192.0.2.9:443: {words}"
    assert caught.value.passing is passing


def test_refusal_on_this_machine_is_final():
    with pytest.raises(DialError) as caught:
        Dialer().dial("127.0.0.1", 1, 1.0, ())
    assert caught.value.passing is False
