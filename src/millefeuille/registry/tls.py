"""TLS settings for a host: whose certificates are believed, and which one we show."""

from __future__ import annotations

import functools
import os
import ssl

from millefeuille.annotations import NoReturn
from millefeuille.errors import Invalid
from millefeuille.values import dataclass


class BadCertificates(Invalid):
    """A certs.d directory cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """`insecure` believes any certificate; `certificates` is a certs.d directory."""

    insecure: bool = False
    certificates: str | None = None


@functools.cache
def context(tls: Tls) -> ssl.SSLContext:
    """The SSL context for `tls`, made once: reading the system's authorities costs 20 ms.

    A directory holds `*.crt` (authorities, added to the system's) and pairs of `*.cert` and `*.key` (what we
    show of ourselves), as in Docker. Raises BadCertificates.
    """
    if tls.insecure:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    else:
        made = ssl.create_default_context()
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.certificates:
        _load(made, tls.certificates)
    return made


def _load(made: ssl.SSLContext, directory: str) -> None:
    names = sorted(os.listdir(directory))
    for name in names:
        path = os.path.join(directory, name)
        stem, suffix = os.path.splitext(path)
        try:
            if suffix == ".crt":
                made.load_verify_locations(path)
            elif suffix == ".cert":
                _partner(name, f"{stem}.key", "client certificate")
                _load_pair(made, path, f"{stem}.key")
            elif suffix == ".key":
                _partner(name, f"{stem}.cert", "key")
        except OSError as error:
            raise BadCertificates(f"{path}: {error.strerror or error}") from error


def _load_pair(made: ssl.SSLContext, certificate: str, key: str) -> None:
    def refuse() -> NoReturn:
        # Without this OpenSSL would ask for the pass phrase at the terminal, whatever the command.
        raise BadCertificates(f"{key}: a key with a pass phrase cannot be used")

    try:
        made.load_cert_chain(certificate, key, password=refuse)
    except OSError as error:
        # OpenSSL does not say which of the two it means.
        both = f"{certificate} with {os.path.basename(key)}"
        raise BadCertificates(f"{both}: {error.strerror or error}") from error


def _partner(name: str, partner: str, kind: str) -> None:
    if not os.path.exists(partner):
        raise BadCertificates(f"missing {os.path.basename(partner)} for {kind} {name}")
