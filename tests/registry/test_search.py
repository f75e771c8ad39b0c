"""Searching an index."""

from __future__ import annotations

import json

import pytest

from millefeuille.registry.search import Found, SearchFailed, split_term
from millefeuille.registry.transport import Unreachable
from millefeuille.testing.faults import Fault


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("busybox", ("index.docker.io", "busybox")),
        ("team/app", ("index.docker.io", "team/app")),
        ("docker.io/team/app", ("index.docker.io", "team/app")),
        ("127.0.0.1:5000/app", ("127.0.0.1:5000", "app")),
        ("localhost/app", ("localhost", "app")),
        ("host.example/a/b", ("host.example", "a/b")),
    ],
)
def test_split_term(term, expected):
    assert split_term(term) == expected


def test_results(registry, client):
    results = [
        {"name": "busybox", "description": "A\nline", "star_count": 7, "is_official": True},
        {"name": "x/y", "description": None},
        {"name": "z"},
    ]
    body = json.dumps({"num_results": 3, "results": results}).encode()
    registry.faults.append(Fault(where="/v1/search", status=200, body=body))
    found = client.registries.search(f"{registry.host}/busy box&x", limit=2)
    assert found == (
        Found(name="busybox", description="A line", stars=7, official=True, automated=False),
        Found(name="x/y", description="", stars=0, official=False, automated=False),
    )
    assert registry.requests[-1].path == "/v1/search?q=busy+box%26x&n=2"


@pytest.mark.parametrize("body", [b"", b"[]", b'{"results": 7}', b'{"results": [{}]}', b'{"results": ["x"]}'])
def test_no_results(registry, client, body):
    registry.faults.append(Fault(where="/v1/search", status=200, body=body))
    with pytest.raises(SearchFailed, match="not a list of results"):
        client.registries.search(f"{registry.host}/x")


def test_refused(registry, client):
    registry.faults.append(Fault(where="/v1/search", status=500))
    with pytest.raises(SearchFailed, match=r"^Unexpected status code 500$"):
        client.registries.search(f"{registry.host}/x")


def test_unreachable(client):
    with pytest.raises(Unreachable) as caught:
        client.registries.search("127.0.0.1:1/busybox")
    assert str(caught.value) == (
        'Get "http://127.0.0.1:1/v1/search?q=busybox&n=25": dial tcp 127.0.0.1:1: connect: connection refused'
    )
