"""urllib3's connections and pools, with our own way to open a socket."""

from __future__ import annotations

import functools
import socket

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from millefeuille.annotations import Any
from millefeuille.registry.dial import Dialer


class PlainConnection(HTTPConnection):
    """A connection whose address the dialer has checked."""

    def __init__(self, *arguments: Any, dialer: Dialer, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._dialer = dialer

    def _new_conn(self) -> socket.socket:
        return _open(self, self._dialer)


class TlsConnection(HTTPSConnection):
    """The same under TLS; urllib3 wraps the socket and checks the name."""

    def __init__(self, *arguments: Any, dialer: Dialer, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._dialer = dialer

    def _new_conn(self) -> socket.socket:
        return _open(self, self._dialer)


def _open(connection: HTTPConnection, dialer: Dialer) -> socket.socket:
    timeout = connection.timeout if isinstance(connection.timeout, (int, float)) else None
    # `_dns_host` keeps a trailing dot, which stops the resolver from appending search domains.
    return dialer.dial(connection._dns_host, connection.port, timeout, connection.socket_options or ())


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = PlainConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = TlsConnection

    def _validate_conn(self, conn: Any) -> None:
        """Connect. urllib3 would also warn where certificates are not checked, which a person configured."""
        if conn.is_closed:
            conn.connect()


def manager(dialer: Dialer, proxy: str | None = None, **options: Any) -> urllib3.PoolManager:
    """A pool manager whose connections are opened by `dialer`; `options` are PoolManager's."""
    made = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
    made.pool_classes_by_scheme = {
        "http": functools.partial(_PlainPool, dialer=dialer),  # type: ignore[dict-item]  # it is only called
        "https": functools.partial(_TlsPool, dialer=dialer),  # type: ignore[dict-item]  # likewise
    }
    return made
