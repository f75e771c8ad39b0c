"""When tokens are kept, and when they are fetched anew."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest

from millefeuille.registry.auth import Authorizer, NoCredentials
from millefeuille.registry.credential import Credential
from millefeuille.registry.token import Token

BEARER = 'Bearer realm="https://h.example/token"'
SCOPES = ("repository:a/b:pull",)


@dataclass
class Source:
    """Gives out tokens that live for `lifetime` seconds."""

    lifetime: float = 300.0
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def fetch(self, challenge, scopes, credential, *, offline=False):
        self.asked.append(tuple(scopes))
        return Token(
            text=f"t{len(self.asked)}", expires=time.monotonic() + self.lifetime, lifetime=self.lifetime
        )


@pytest.fixture
def source():
    return Source()


def authorizer(source, credential=None):
    return Authorizer(lambda: credential, source)


def test_nothing_is_said_unasked(source):
    assert authorizer(source, Credential(username="u", password="p")).header(SCOPES) is None


def test_token_is_kept(source):
    held = authorizer(source)
    held.learn([BEARER])
    assert [held.header(SCOPES) for _ in range(3)] == ["Bearer t1"] * 3
    assert source.asked == [SCOPES]


def test_each_scope_has_its_own(source):
    held = authorizer(source)
    held.learn([BEARER])
    assert held.header(SCOPES) != held.header(("repository:a/b:pull,push",))


def test_old_token_is_replaced_before_a_long_request(source, monkeypatch):
    held = authorizer(source)
    held.learn([BEARER])
    held.header(SCOPES)
    source.lifetime = 700.0
    assert held.header(SCOPES, remaining=30.0) == "Bearer t1"
    later = time.monotonic() + 250.0
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert held.header(SCOPES, remaining=30.0) == "Bearer t1"
    assert held.header(SCOPES, remaining=120.0) == "Bearer t2"


def test_rejected_token_is_dropped_once(source):
    held = authorizer(source)
    first = held.answer([BEARER], SCOPES, None)
    assert held.answer([BEARER], SCOPES, first) == "Bearer t2"
    # Another thread that still comes with the first one gets what is held by now.
    assert held.answer([BEARER], SCOPES, first) == "Bearer t2"
    assert len(source.asked) == 2


def test_scope_of_the_challenge_is_added(source):
    authorizer(source).answer([BEARER + ',scope="repository:x/y:pull repository:a/b:pull"'], SCOPES, None)
    assert source.asked == [("repository:a/b:pull", "repository:x/y:pull")]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (['Basic realm="x"', BEARER], "Bearer t1"),
        (["Negotiate", 'Basic realm="x"'], "Basic dTpw"),
        (["Bearer service=no-realm", 'Basic realm="x"'], "Basic dTpw"),
        (["Negotiate"], None),
        ([], None),
    ],
)
def test_choice_of_a_challenge(source, headers, expected):
    held = authorizer(source, Credential(username="u", password="p"))
    assert held.answer(headers, SCOPES, None) == expected


def test_same_password_is_not_sent_again(source):
    held = authorizer(source, Credential(username="u", password="p"))
    header = held.answer(["Basic realm=x"], SCOPES, None)
    assert held.answer(["Basic realm=x"], SCOPES, header) is None


def test_no_password(source):
    with pytest.raises(NoCredentials):
        authorizer(source).answer(["Basic realm=x"], SCOPES, None)


def test_bearer_token_of_the_user(source):
    held = authorizer(source, Credential(registry_token="own"))
    assert held.answer([BEARER], SCOPES, None) == "Bearer own"
    assert source.asked == []
