"""Real servers for tests, the demo and the benchmarks: Docker's registry and Docker's engine.

    with registry(directory) as server:
        push(image, server.address, "library/busybox", "latest")

They listen on this machine only. Each runs in a session of its own, and gets SIGTERM when its parent
dies, however that happens.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from millefeuille.annotations import Final
from millefeuille.errors import Failed, Unsupported
from millefeuille.values import dataclass

START_TIMEOUT: Final = 30.0  # seconds
STOP_TIMEOUT: Final = 15.0  # seconds
_SEARCH_PATH: Final = os.pathsep.join([os.defpath, "/usr/local/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"])


class ServerMissing(Unsupported):
    """A program that a test runs beside us is not installed."""


class ServerFailed(Failed):
    """A server stopped, or did not answer in time; the message ends with its last words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryServer:
    """A running docker-registry. `address` is its `127.0.0.1:PORT`, `log` holds one line a request."""

    address: str
    root: Path
    log: Path
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerServer:
    """A running dockerd. `host` is what the docker client takes as `--host`."""

    host: str
    root: Path
    log: Path
    pid: int


def program(name: str) -> str:
    """The path of an installed program. Raises ServerMissing."""
    found = shutil.which(name) or shutil.which(name, path=_SEARCH_PATH)
    if found is None:
        raise ServerMissing(f"{name} is not installed", advice="Run scripts/install --peers.")
    return found


@contextlib.contextmanager
def registry(
    directory: Path, *, users: Mapping[str, str] | None = None, deletes: bool = True
) -> Iterator[RegistryServer]:
    """Docker's registry (distribution 2.8) on a free loopback port, with its files in `directory`.

    `users` maps names to passwords and turns Basic authentication on. A second start on the same
    directory serves what the first one stored. Raises ServerMissing, ServerFailed.
    """
    executable = program("docker-registry")
    directory.mkdir(parents=True, exist_ok=True)
    settings = _registry_settings(directory, users, deletes)
    (directory / "config.json").write_text(json.dumps(settings))  # JSON is YAML
    log = directory / "registry.log"
    command = [executable, "serve", str(directory / "config.json")]
    with _running(command, log) as process:
        address = _awaited("docker-registry", process, log, lambda: _listening_address(log))
        yield RegistryServer(address=address, root=directory / "data", log=log, pid=process.pid)


@contextlib.contextmanager
def dockerd(directory: Path, *, options: Sequence[str] = ()) -> Iterator[DockerServer]:
    """Docker's engine with its store in `directory`, without network set-up. Needs root.

    Loopback registries need no configuration: dockerd takes 127.0.0.0/8 for insecure.
    Raises ServerMissing, ServerFailed.
    """
    executable = program("dockerd")
    if os.geteuid() != 0:
        raise ServerMissing("dockerd needs root")
    directory.mkdir(parents=True, exist_ok=True)
    log = directory / "dockerd.log"
    # A socket's path has room for 107 bytes only, so it does not stand in `directory`.
    with tempfile.TemporaryDirectory(prefix="dockerd-") as run:
        socket = Path(run, "docker.sock")
        command = [
            *(executable, "--host", f"unix://{socket}", "--pidfile", f"{run}/pid"),
            *("--data-root", str(directory / "data"), "--exec-root", f"{run}/exec"),
            *("--iptables=false", "--ip6tables=false", "--bridge=none", *options),
        ]
        try:
            with _running(command, log) as process:
                _awaited("dockerd", process, log, lambda: _api_listens(log))
                yield DockerServer(host=f"unix://{socket}", root=directory, log=log, pid=process.pid)
        finally:
            _unmount_below(run)


def _unmount_below(directory: str) -> None:
    """Let go of what a dockerd leaves mounted: the network namespace of its host, and of containers."""
    table = Path("/proc/self/mounts").read_text()
    for target in (line.split(" ")[1] for line in reversed(table.splitlines())):
        if target.startswith(f"{directory}/"):
            subprocess.run([program("umount"), "--lazy", target], check=False)


def _registry_settings(directory: Path, users: Mapping[str, str] | None, deletes: bool) -> dict[str, object]:
    settings: dict[str, object] = {
        "version": "0.1",
        "log": {"level": "info", "formatter": "text"},
        "storage": {
            "filesystem": {"rootdirectory": str(directory / "data")},
            "cache": {"blobdescriptor": "inmemory"},
            "delete": {"enabled": deletes},
        },
        "http": {"addr": "127.0.0.1:0", "secret": "loopback"},
    }
    if users is not None:
        passwords = directory / "htpasswd"
        passwords.write_text("".join(f"{name}:{bcrypt(word)}\n" for name, word in users.items()))
        settings["auth"] = {"htpasswd": {"realm": "loopback", "path": str(passwords)}}
    return settings


def bcrypt(password: str) -> str:
    """The bcrypt hash of a password (crypt(5), cost 4), the only kind that docker-registry accepts."""
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    hashed = library.crypt(password.encode(), b"$2b$04$abcdefghijklmnopqrstuu")
    if hashed is None or not hashed.startswith(b"$2"):
        raise ServerMissing("the C library's crypt() knows no bcrypt")
    return bytes(hashed).decode()


@contextlib.contextmanager
def _running(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    last_will = [program("setpriv"), "--pdeathsig", "TERM", "--"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*last_will, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=0o022,  # an engine's files must not depend on who runs the tests
        )

    def stop() -> None:
        _stop(process)

    atexit.register(stop)
    try:
        yield process
    finally:
        atexit.unregister(stop)
        stop()


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            pass
    # What the server left behind in its group, or the server itself when it did not listen.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _awaited(name: str, process: subprocess.Popen[bytes], log: Path, ready: Callable[[], str]) -> str:
    deadline = time.monotonic() + START_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        if answer := ready():
            return answer
        time.sleep(0.02)
    state = "does not answer" if process.poll() is None else f"stopped with exit code {process.returncode}"
    last_words = " | ".join(_text(log).splitlines()[-3:])
    raise ServerFailed(f"{name} {state}: {last_words}")


def _text(log: Path) -> str:
    return log.read_text(errors="replace")


def _api_listens(log: Path) -> str:
    return "yes" if "API listen on" in _text(log) else ""


def _listening_address(log: Path) -> str:
    found = re.search(r"listening on (127\.0\.0\.1:\d+)", _text(log))
    return found[1] if found else ""
