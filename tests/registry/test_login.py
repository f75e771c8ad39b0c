"""Checking an account."""

from __future__ import annotations

import pytest

from millefeuille.registry.credential import Credential
from millefeuille.registry.login import LoginFailed
from millefeuille.registry.token import TokenRefused
from millefeuille.testing.faults import Fault
from millefeuille.testing.registry import FakeRegistry

ACCOUNT = Credential(username="user", password="right")
WRONG = Credential(username="user", password="wrong-canary")


@pytest.fixture(params=["basic", "bearer"])
def kind(request):
    return request.param


def test_right_password(client, kind):
    with FakeRegistry(auth=kind, users={"user": "right"}) as registry:
        kept = client.registries.login(registry.host, ACCOUNT)
    if kind == "basic":
        assert kept == ACCOUNT
    else:
        assert kept.identity_token in registry.refresh_tokens
        assert kept.password == ""


def test_wrong_password(client, kind):
    with FakeRegistry(auth=kind, users={"user": "right"}) as registry:
        with pytest.raises((LoginFailed, TokenRefused)) as caught:
            client.registries.login(registry.host, WRONG)
    assert "wrong-canary" not in str(caught.value)
    if kind == "basic":
        url = f"http://{registry.host}/v2/"
        assert str(caught.value) == f"login attempt to {url} failed with status: 401 Unauthorized"


def test_password_that_is_not_utf8(client, kind):
    """What was typed is what is sent, kept and found again: its bytes."""
    with FakeRegistry(auth=kind, users={"us\udce9r": "p\udcff"}) as registry:
        kept = client.registries.login(registry.host, Credential(username="us\udce9r", password="p\udcff"))
    assert kept.username == "us\udce9r"


def test_registry_that_wants_no_account(client, registry):
    assert client.registries.login(registry.host, ACCOUNT) == ACCOUNT


@pytest.mark.parametrize("status", [404, 301, 500, 401])
def test_something_else_than_a_registry(client, registry, status):
    registry.faults.append(Fault(where="/v2/", times=9, status=status))
    with pytest.raises(LoginFailed, match=f"failed with status: {status}"):
        client.registries.login(registry.host, ACCOUNT)


def test_secrets_are_not_in_a_repr():
    credential = Credential(
        username="u", password="p-canary", identity_token="i-canary", registry_token="r-canary"
    )
    assert "canary" not in repr(credential)
