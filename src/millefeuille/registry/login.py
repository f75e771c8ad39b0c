"""Login: check an account at a registry, and trade a password for an identity token where one is offered."""

from __future__ import annotations

from http import HTTPStatus

from millefeuille.errors import Denied
from millefeuille.registry import challenge as challenges
from millefeuille.registry.auth import Authorizer
from millefeuille.registry.credential import Credential
from millefeuille.registry.phrase import phrase
from millefeuille.registry.site import Site, finish
from millefeuille.registry.token import Token
from millefeuille.registry.transport import Request


class LoginFailed(Denied):
    """The registry does not accept the account."""


def login(site: Site, credential: Credential) -> Credential:
    """The credential to keep, checked at `site`.

    Raises LoginFailed, TokenRefused, BadRealm, Unreachable.
    """
    first = site.ping()
    if first.status == HTTPStatus.OK:
        return credential
    url = f"{site.root()}/v2/"
    found = Authorizer.choose(challenges.parse(first.headers.getlist("WWW-Authenticate")))
    if first.status != HTTPStatus.UNAUTHORIZED or found is None:
        raise _failed(url, first.status)
    token: Token | None = None
    if found.scheme == "bearer":
        token = site.tokens().fetch(found, (), credential, offline=True)
        header = f"Bearer {token.text}"
    else:
        header = Authorizer.basic(credential)
    second = site.exchange(Request(method="GET", url=url, headers={"Authorization": header}))
    finish(second)
    if second.status != HTTPStatus.OK:
        raise _failed(url, second.status)
    if token is not None and token.refresh:
        return Credential(username=credential.username, identity_token=token.refresh)
    return credential


def _failed(url: str, status: int) -> LoginFailed:
    return LoginFailed(f"login attempt to {url} failed with status: {phrase(status)}")
