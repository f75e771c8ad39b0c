"""Credential: who we are at one registry."""

from __future__ import annotations

import base64
import re

from millefeuille.values import dataclass, field

_NOT_BYTES = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # surrogates that stand for no byte


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A user with a password, or an identity token (refresh token), or a bearer token."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)

    @property
    def encoded(self) -> str:
        """`username:password` in base64: as Basic authentication (RFC 7617) and auth files have it."""
        return base64.b64encode(octets(f"{self.username}:{self.password}")).decode()


def octets(text: str) -> bytes:
    """The bytes of a name or a password: what was typed or stored, even where that is not UTF-8."""
    return _NOT_BYTES.sub("\ufffd", text).encode("utf-8", "surrogateescape")
