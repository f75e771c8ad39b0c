"""Images of other engines on this machine, as the archives they give out.

Docker is asked over its socket, where its own client would look for it. Podman has no daemon to ask, so its
`podman image save` is started.
Source: Docker Engine API, `GET /images/{name}/get`; podman-save(1).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote, urlsplit

from millefeuille.annotations import Final
from millefeuille.errors import NotFound, Unavailable, Unsupported
from millefeuille.registry.dockercontext import docker_host

_TIMEOUT: Final = 300.0  # seconds; an engine packs a whole layer before it sends the first byte of it

Read = Callable[[int], bytes]


class EngineUnreachable(Unavailable):
    """The other engine does not answer."""


class NoImageThere(NotFound):
    """The other engine has no such image."""


@contextlib.contextmanager
def docker_archive(name: str, environment: Mapping[str, str]) -> Iterator[Read]:
    """A function that reads `docker save NAME`, as Docker's daemon sends it.

    Raises EngineUnreachable, NoImageThere, NoContext, and Unsupported for an address that is neither unix
    nor tcp.
    """
    host = docker_host(environment)
    with contextlib.closing(_connection(host)) as connection:
        with _reaching(host):
            connection.request("GET", f"/images/{quote(name, safe='')}/get", headers={"Host": "docker"})
            response = connection.getresponse()
            if response.status == http.client.NOT_FOUND:
                raise NoImageThere(f"docker: No such image: {name}")
            if response.status != http.client.OK:
                raise EngineUnreachable(f"docker: {name}: {_message(response)}")

        def read(size: int) -> bytes:
            with _reaching(host):
                return response.read(size)

        yield read


@contextlib.contextmanager
def _reaching(host: str) -> Iterator[None]:
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise EngineUnreachable(f"Cannot connect to the Docker daemon at {host}: {reason.lower()}") from error


@contextlib.contextmanager
def podman_archive(name: str, environment: Mapping[str, str]) -> Iterator[Read]:
    """A function that reads `podman image save NAME`. Raises EngineUnreachable, NoImageThere."""
    program = shutil.which("podman", path=environment.get("PATH"))
    if program is None:
        raise EngineUnreachable("podman: executable file not found in $PATH")
    # What it complains of goes into a file: nobody reads a second pipe while the first one is read.
    with tempfile.TemporaryFile() as errors, subprocess.Popen(
        [program, "image", "save", "--", name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=errors, env=dict(environment),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        output = process.stdout.fileno()

        def read(size: int) -> bytes:
            data = os.read(output, size)
            if not data and process.wait():
                errors.seek(0)
                lines = errors.read().decode(errors="replace").strip().splitlines()
                said = lines[-1].removeprefix("Error: ") if lines else f"exit code {process.returncode}"
                raise NoImageThere(f"podman: {said}")
            return data

        try:
            yield read
        finally:
            process.kill()


def _connection(host: str) -> http.client.HTTPConnection:
    parts = urlsplit(host)
    if parts.scheme == "unix":
        return _UnixConnection(parts.path or f"/{parts.netloc}")
    if parts.scheme in ("tcp", "http") and parts.hostname:
        return http.client.HTTPConnection(parts.hostname, parts.port or 2375, timeout=_TIMEOUT)
    raise Unsupported(f"Docker's daemon at {host}: only unix:// and tcp:// are spoken")


def _message(response: http.client.HTTPResponse) -> str:
    raw = response.read(64 << 10)
    with contextlib.suppress(ValueError, LookupError, TypeError):
        return str(json.loads(raw)["message"])
    return f"HTTP status {response.status}"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("docker", timeout=_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_TIMEOUT)
        self.sock.connect(self._path)
