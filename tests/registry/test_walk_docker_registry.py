"""The client against Debian's docker-registry: open, with htpasswd, and under TLS."""

from __future__ import annotations

import base64
import io
import json
import random
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
import trustme

from millefeuille.errors import MilleError
from millefeuille.oci import manifest as manifests
from millefeuille.oci import mediatype
from millefeuille.oci.descriptor import Descriptor
from millefeuille.oci.digest import Digest
from millefeuille.oci.reference import Reference
from millefeuille.registry.credential import Credential
from millefeuille.registry.daemonjson import DaemonJson
from millefeuille.registry.hosts import Hosts
from millefeuille.registry.login import LoginFailed
from millefeuille.registry.refusal import AccessDenied, ManifestUnknown

PROGRAM = shutil.which("docker-registry")
PASSWORD = "walk-password"
# The bcrypt hash of PASSWORD.
HTPASSWD = "user:$2y$05$abcdefghijklmnopqrstuuPRX.2wPRm73WF7xfdjE373XbmYDRTeG\n"
LAYER = random.Random(3).randbytes(5_000_000)

pytestmark = [
    pytest.mark.walk,
    pytest.mark.skipif(PROGRAM is None, reason="docker-registry is not installed: the walk was NOT done"),
]


@pytest.fixture
def start(tmp_path):
    """Starts docker-registry; its host:port."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(*, auth: bool = False, tls: trustme.LeafCert | None = None, port: int = 0) -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = port or probe.getsockname()[1]
        config = {
            "version": 0.1,
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(tmp_path / "data")}},
            "http": {"addr": f"127.0.0.1:{port}", "secret": "shared"},
        }
        if auth:
            (tmp_path / "htpasswd").write_text(HTPASSWD)
            config["auth"] = {"htpasswd": {"realm": "walk", "path": str(tmp_path / "htpasswd")}}
        if tls is not None:
            tls.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
            tls.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
            config["http"]["tls"] = {  # type: ignore[index]
                "certificate": str(tmp_path / "cert.pem"),
                "key": str(tmp_path / "key.pem"),
            }
        path = tmp_path / "config.yml"
        path.write_text(json.dumps(config))
        with open(tmp_path / "log", "wb") as log:
            running.append(subprocess.Popen([PROGRAM, "serve", str(path)], stdout=log, stderr=log))
        wait_for(port, running[-1])
        return f"127.0.0.1:{port}"

    begin.running = running
    yield begin
    for process in running:
        process.terminate()
        process.wait(10)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(400):
        assert process.poll() is None, "docker-registry ended"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.025)
    raise AssertionError("docker-registry does not listen")


def push_image(client, name: str) -> tuple[Descriptor, bytes]:
    """An image of one layer, pushed."""
    repository = client.repository(name, push=True)
    config = b'{"architecture":"amd64","os":"linux"}'
    layer = Descriptor(media_type=mediatype.OCI_LAYER, digest=Digest.of(LAYER), size=len(LAYER))
    described = Descriptor(media_type=mediatype.OCI_CONFIG, digest=Digest.of(config), size=len(config))
    for blob, data in ((layer, LAYER), (described, config)):
        assert blob.digest not in repository
        repository.upload(blob, lambda offset, data=data: io.BytesIO(data[offset:]))
        assert blob.digest in repository
    raw = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": mediatype.OCI_MANIFEST,
            "config": described.to_json(),
            "layers": [layer.to_json()],
        }
    ).encode()
    manifest = Descriptor(media_type=mediatype.OCI_MANIFEST, digest=Digest.of(raw), size=len(raw))
    repository.put_manifest(manifest, raw)
    repository.put_manifest(manifest, raw, "1.0")
    return manifest, raw


def pull_layer(client, name: str) -> bytes:
    repository = client.repository(name)
    descriptor, raw = repository.manifest(Reference.parse(name))
    layer = manifests.parse(raw, descriptor.media_type).layers[0]
    buffer, parts = bytearray(1 << 18), []
    with repository.open(layer) as stream:
        while count := stream.readinto(buffer):
            parts.append(bytes(buffer[:count]))
    return b"".join(parts)


def walk(client, host: str) -> None:
    """Push, look, pull, resume, mount, list."""
    name = f"{host}/team/app:1.0"
    manifest, raw = push_image(client, name)
    assert client.resolve(name) == manifest
    assert client.repository(name).manifest(Reference.parse(name)) == (manifest, raw)
    assert pull_layer(client, name) == LAYER
    layer = manifests.parse(raw).layers[0]
    buffer = bytearray(len(LAYER))
    with client.repository(name).open(layer, offset=4_000_000) as stream:
        assert stream.offset == 4_000_000
        assert buffer[: stream.readinto(buffer)] == LAYER[4_000_000:]
    other = client.repository(f"{host}/team/other", push=True)
    assert other.mount(layer.digest, "team/app") is True
    assert layer.digest in other
    assert client.repository(name).tags() == ("1.0",)
    with pytest.raises(ManifestUnknown) as caught:
        client.resolve(f"{host}/team/app:none")
    assert str(caught.value) == (
        f"manifest for {host}/team/app:none not found: manifest unknown: manifest unknown"
    )


def account(host: str, password: str = PASSWORD) -> dict[str, str]:
    auth = base64.b64encode(f"user:{password}".encode()).decode()
    return {"DOCKER_AUTH_CONFIG": json.dumps({"auths": {host: {"auth": auth}}})}


def test_open(start, client) -> None:
    walk(client, start())


def test_htpasswd(start, make_client) -> None:
    host = start(auth=True)
    walk(make_client(account(host)), host)
    with pytest.raises(AccessDenied, match="no basic auth credentials"):
        make_client().resolve(f"{host}/team/app:1.0")
    with pytest.raises(AccessDenied, match="unauthorized: authentication required"):
        make_client(account(host, "wrong")).resolve(f"{host}/team/app:1.0")


def test_login(start, make_client) -> None:
    host = start(auth=True)
    client = make_client()
    right = Credential(username="user", password=PASSWORD)
    assert client.registries.login(host, right) == right
    with pytest.raises(LoginFailed, match="failed with status: 401 Unauthorized"):
        client.registries.login(host, Credential(username="user", password="wrong"))


def test_mirror_of_docker_hub(start, make_client) -> None:
    """`nginx:1.24` comes from a mirror in plain HTTP on loopback, with nothing marked insecure."""
    host = start()
    client = make_client(hosts=Hosts(daemon=DaemonJson(mirrors=(("http", host),))))
    manifest, _ = push_image(client, f"{host}/library/nginx:1.0")
    assert client.resolve("nginx:1.0") == manifest
    assert pull_layer(client, "nginx:1.0") == LAYER


class TestTls:
    @pytest.fixture
    def authority(self) -> Iterator[trustme.CA]:
        yield trustme.CA()

    def hosts(self, tmp_path, name: str, authority: trustme.CA | None) -> Hosts:
        directory = tmp_path / "certs.d" / name
        directory.mkdir(parents=True)
        if authority is not None:
            authority.cert_pem.write_to_path(str(directory / "ca.crt"))
        return Hosts(certificate_directories=(str(tmp_path / "certs.d"),))

    def test_authority_from_certs_d(self, start, make_client, internet, tmp_path, authority) -> None:
        internet.place("secure.example", "127.0.0.1")
        port = start(tls=authority.issue_cert("secure.example")).rpartition(":")[2]
        host = f"secure.example:{port}"
        walk(make_client(hosts=self.hosts(tmp_path, host, authority)), host)

    def test_unknown_authority(self, start, make_client, internet, tmp_path, authority) -> None:
        internet.place("secure.example", "127.0.0.1")
        port = start(tls=authority.issue_cert("secure.example")).rpartition(":")[2]
        client = make_client(hosts=self.hosts(tmp_path, f"secure.example:{port}", None))
        with pytest.raises(MilleError) as caught:
            client.resolve(f"secure.example:{port}/team/app:1")
        assert str(caught.value) == (
            f'Get "https://secure.example:{port}/v2/": tls: failed to verify certificate: '
            "x509: certificate signed by unknown authority"
        )
        assert client.slept == []

    def test_certificate_of_another_name(self, start, make_client, internet, tmp_path, authority) -> None:
        internet.place("secure.example", "127.0.0.1")
        port = start(tls=authority.issue_cert("other.example")).rpartition(":")[2]
        client = make_client(hosts=self.hosts(tmp_path, f"secure.example:{port}", authority))
        with pytest.raises(MilleError, match="tls: failed to verify certificate: x509: "):
            client.resolve(f"secure.example:{port}/team/app:1")

    def test_loopback_takes_any_certificate(self, start, client, authority) -> None:
        walk(client, start(tls=authority.issue_cert("other.example")))


def test_registry_that_is_killed_and_comes_back(start, client) -> None:
    """A blob is read on where it broke off; the registry returns during the client's first pause."""
    host = start()
    data = random.Random(5).randbytes(30_000_000)
    blob = Descriptor(media_type="x", digest=Digest.of(data), size=len(data))
    repository = client.repository(f"{host}/team/app", push=True)
    repository.upload(blob, lambda offset: io.BytesIO(data[offset:]))
    pauses: list[float] = []

    def restart(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 1:
            start(port=int(host.rpartition(":")[2]))

    object.__setattr__(client.registries._patience, "sleep", restart)
    buffer, found = bytearray(1 << 18), bytearray()
    with client.repository(f"{host}/team/app").open(blob) as stream:
        while count := stream.readinto(buffer):
            found += buffer[:count]
            if len(found) == 4 << 18:
                start.running[0].kill()
                start.running[0].wait()
    assert found == data
    assert pauses


def test_secret_is_nowhere(start, make_client, tmp_path) -> None:
    """Errors and events of a session with an account, searched for its password."""
    host = start(auth=True)
    client = make_client(account(host))
    push_image(client, f"{host}/team/app:1.0")
    texts = [repr(event) for event in client.events.seen]
    for name in (f"{host}/team/app:none", f"{host}/none/none:1"):
        with pytest.raises(MilleError) as caught:
            client.resolve(name)
        texts += [str(caught.value), str(caught.value.advice), repr(caught.value)]
    encoded = base64.b64encode(f"user:{PASSWORD}".encode()).decode()
    assert not any(PASSWORD in text or encoded in text for text in texts)


def test_peer_sees_what_was_pushed(start, client) -> None:
    host = start()
    manifest, raw = push_image(client, f"{host}/team/app:1.0")
    request = urllib.request.Request(
        f"http://{host}/v2/team/app/manifests/1.0", headers={"Accept": mediatype.OCI_MANIFEST}
    )
    with urllib.request.urlopen(request) as response:
        assert response.read() == raw
        assert response.headers["Docker-Content-Digest"] == str(manifest.digest)
