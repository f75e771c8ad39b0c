"""What making and importing the client costs, and the way through a proxy."""

from __future__ import annotations

import builtins
import select
import socket
import ssl
import subprocess
import sys
import threading

import pytest
import trustme

from millefeuille.oci.reference import Reference
from millefeuille.progress import Silent
from millefeuille.registry.client import Registries
from millefeuille.registry.credentials import Credentials
from millefeuille.registry.hosts import Hosts
from millefeuille.registry.proxies import Proxies
from millefeuille.testing.registry import FakeRegistry


def test_making_one_does_no_io(monkeypatch):
    def refuse(*arguments: object, **_: object) -> None:
        raise AssertionError(f"I/O: {arguments}")

    credentials = Credentials.load({}, "/nowhere")
    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(builtins, "open", refuse)
    registries = Registries(Hosts(), credentials, Silent())
    registries.repository(Reference.parse("127.0.0.1:5000/x"))


@pytest.mark.parametrize(
    "module", ["hosts", "credentials", "refusal", "address", "challenge", "realm", "patience", "proxies"]
)
def test_light_modules_load_no_http_client(module):
    code = (
        f"import sys, millefeuille.registry.{module}\n"
        "print([name for name in ('urllib3', 'http.client', 'ssl') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_https_through_a_proxy(tmp_path, make_client, internet):
    """The proxy sees the name to connect to and no more; the certificate is the registry's."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("secure.example").configure_cert(server)
    directory = tmp_path / "certs.d"
    seen: list[bytes] = []
    with FakeRegistry(tls=server) as registry, socket.create_server(("127.0.0.1", 0)) as listener:
        image = registry.add_image("team/app", "1", [b"layer"])
        (directory / f"secure.example:{registry.port}").mkdir(parents=True)
        authority.cert_pem.write_to_path(str(directory / f"secure.example:{registry.port}" / "ca.crt"))
        threading.Thread(target=tunnel, args=(listener, registry.port, seen), daemon=True).start()
        client = make_client(
            hosts=Hosts(certificate_directories=(str(directory),)),
            proxies=Proxies(
                by_scheme={"https": f"http://user:pw@127.0.0.1:{listener.getsockname()[1]}"}
            ),
        )
        assert client.resolve(f"secure.example:{registry.port}/team/app:1") == image
        client.close()
    head = seen[0].decode()
    assert head.startswith(f"CONNECT secure.example:{registry.port} HTTP/1.")
    assert "Proxy-Authorization: Basic dXNlcjpwdw==" in head.replace("proxy-auth", "Proxy-Auth")
    assert "proxy" not in str(registry.requests[0].headers).lower()


def tunnel(listener: socket.socket, port: int, seen: list[bytes]) -> None:
    """A proxy for one connection."""
    client, _ = listener.accept()
    seen.append(client.recv(65536))
    with client, socket.create_connection(("127.0.0.1", port)) as server:
        client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        while True:
            for ready in select.select([client, server], [], [])[0]:
                data = ready.recv(65536)
                if not data:
                    return
                (server if ready is client else client).sendall(data)
