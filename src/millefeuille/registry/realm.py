"""Realm: the address of a token server, and whether our credentials may be sent there.

A registry names its realm itself, so a hostile one could name any server to have credentials delivered, or
any address of this machine to have it called.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from millefeuille.errors import Denied
from millefeuille.registry.redaction import clean, show_url
from millefeuille.values import dataclass

# Token servers of registries whose names differ: registry host to token server host.
_KNOWN = {"registry-1.docker.io": frozenset({"auth.docker.io"}), "docker.io": frozenset({"auth.docker.io"})}

# Second-level names under which registrants take a third label, where the top level has two letters.
_SECOND_LEVEL = frozenset("ac co com edu go gob gov gouv ltd me mil net ne nom or org plc sch".split())

# Domains whose sub-domains belong to different people: there only the same host counts.
_SHARED = frozenset(
    "amazonaws.com azurecr.io azurewebsites.net azureedge.net cloudapp.net cloudfront.net appspot.com "
    "run.app pkg.dev gcr.io github.io gitlab.io herokuapp.com netlify.app vercel.app workers.dev "
    "pages.dev fly.dev web.app firebaseapp.com r2.dev ondigitalocean.app digitaloceanspaces.com ngrok.io "
    "ngrok.app ngrok.dev trycloudflare.com duckdns.org dyndns.org no-ip.org on.aws windows.net hf.space "
    "scw.cloud".split()
)


class BadRealm(Denied):
    """The token server that a registry names is not one to talk to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """`url` is fit to be asked for a token; `trusted` tells whether credentials may go there."""

    url: str
    trusted: bool


def check(realm: str, registry_url: str) -> Realm:
    """Judge the realm that the registry at `registry_url` names. Raises BadRealm."""
    registry, parts = urlsplit(registry_url), _split(realm)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadRealm(
            f"{registry.netloc}: its token server {clean(show_url(realm))!r} is not an absolute URL"
        )
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadRealm(f"{registry.netloc}: its token server's URL holds a user or a fragment")
    if parts.scheme == "http" and registry.scheme != "http":
        raise BadRealm(f"{registry.netloc}: its token server {show_url(realm)} is not encrypted")
    return Realm(url=realm, trusted=same_owner(registry.hostname or "", parts.hostname))


def same_owner(registry: str, server: str) -> bool:
    """True when two host names belong to the same registrant, as far as names tell."""
    registry, server = registry.lower().rstrip("."), server.lower().rstrip(".")
    if registry == server or server in _KNOWN.get(registry, ()):
        return True
    domain = _registrable(registry)
    return domain is not None and domain == _registrable(server)


def _registrable(host: str) -> str | None:
    """The part of a name that was registered; None where only equality of the whole host counts."""
    labels = host.split(".")
    if ":" in host or labels[-1].isdigit() or len(labels) < 2:
        return None
    if any(host == shared or host.endswith(f".{shared}") for shared in _SHARED):
        return None
    length = 3 if len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL else 2
    return ".".join(labels[-length:]) if len(labels) >= length else None


def _split(realm: str) -> SplitResult:
    try:
        parts = urlsplit(realm)
        _ = parts.port
    except ValueError as error:
        raise BadRealm("the registry's token server is not a valid URL") from error
    if any(ord(letter) <= 32 or letter == "\\" for letter in realm):
        raise BadRealm("the registry's token server is not a valid URL")
    return parts
