"""Which token servers may see a password."""

from __future__ import annotations

import pytest

from millefeuille.registry.realm import BadRealm, check, same_owner


@pytest.mark.parametrize(
    ("registry", "server", "same"),
    [
        ("ghcr.io", "ghcr.io", True),
        ("registry-1.docker.io", "auth.docker.io", True),
        ("registry.gitlab.com", "gitlab.com", True),
        ("registry.example.com", "auth.example.com", True),
        ("Registry.Example.COM.", "auth.example.com", True),
        ("example.com", "example.com.evil.net", False),
        ("registry.example.com", "evilexample.com", False),
        ("registry.example.com", "example.org", False),
        ("a.co.uk", "b.co.uk", False),
        ("registry.shop.co.uk", "auth.shop.co.uk", True),
        ("one.azurecr.io", "two.azurecr.io", False),
        ("1.dkr.ecr.us-east-1.amazonaws.com", "evil.s3.amazonaws.com", False),
        ("me.github.io", "you.github.io", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("10.1.0.1", "10.2.0.1", False),
        ("::1", "::1", True),
        ("::1", "::2", False),
        ("localhost", "localhost", True),
        ("registry", "auth", False),
        ("docker.io.evil.example", "auth.docker.io", False),
    ],
)
def test_same_owner(registry, server, same):
    assert same_owner(registry, server) is same


def test_query_of_a_realm_is_kept():
    assert check("https://ghcr.io/token?a=b", "https://ghcr.io").url == "https://ghcr.io/token?a=b"


def test_plain_realm_of_an_encrypted_registry():
    with pytest.raises(BadRealm, match="is not encrypted"):
        check("http://ghcr.io/token", "https://ghcr.io")


@pytest.mark.parametrize(
    "realm",
    ["", "token", "https:///t", "https://a b/", "https://h\\@evil/", "https://h/\r\nX: y", "https://[::1/t"],
)
def test_malformed(realm):
    with pytest.raises(BadRealm):
        check(realm, "https://ghcr.io")
