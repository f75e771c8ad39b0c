"""A client with little patience, and a registry to try it on."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from millefeuille.oci.reference import Reference
from millefeuille.progress import Event
from millefeuille.registry import address, dial
from millefeuille.registry.address import Reach
from millefeuille.registry.client import Registries
from millefeuille.registry.credentials import Credentials
from millefeuille.registry.hosts import Hosts
from millefeuille.registry.patience import Patience
from millefeuille.registry.repository import Repository
from millefeuille.testing.registry import FakeRegistry


@dataclass
class Events:
    """Keeps what is reported."""

    seen: list[Event] = field(default_factory=list)

    def report(self, event: Event) -> None:
        self.seen.append(event)


@dataclass
class Client:
    """Registries with short waits; `slept` are the pauses it would have made."""

    environment: dict[str, str]
    home: str
    events: Events = field(default_factory=Events)
    slept: list[float] = field(default_factory=list)
    options: dict[str, object] = field(default_factory=dict)
    hosts: Hosts | None = None
    timeout: float = 2.0  # seconds to an answer
    _registries: Registries | None = None

    @property
    def registries(self) -> Registries:
        if self._registries is None:
            wait = self.timeout
            patience = Patience(
                connect=5.0, answer=wait, stored=wait, idle=min(wait, 0.3), sleep=self.slept.append
            )
            self._registries = Registries(
                self.hosts or Hosts.load(self.environment, self.home),
                Credentials.load(self.environment, self.home),
                self.events,
                patience=patience,
                **self.options,  # type: ignore[arg-type]
            )
        return self._registries

    def repository(self, name: str, *, push: bool = False) -> Repository:
        return self.registries.repository(Reference.parse(name), push=push)

    def resolve(self, name: str) -> object:
        reference = Reference.parse(name).tagged()
        return self.registries.repository(reference).resolve(reference)

    def close(self) -> None:
        if self._registries is not None:
            self._registries.close()


@pytest.fixture
def make_client(tmp_path) -> Iterator[Callable[..., Client]]:
    """Makes clients that see nothing of this machine's own configuration."""
    made: list[Client] = []
    empty = tmp_path / "empty-registries.conf"
    empty.write_text("")
    daemon = tmp_path / "daemon.json"
    daemon.write_text("{}")

    def make(environment: dict[str, str] | None = None, **options: object) -> Client:
        hosts = options.pop("hosts", None)
        base = {
            "PATH": "/usr/bin:/bin",
            "CONTAINERS_REGISTRIES_CONF": str(empty),
            "MILLE_DAEMON_JSON": str(daemon),
            "XDG_CONFIG_HOME": str(tmp_path / "config"),
        }
        client = Client({**base, **(environment or {})}, str(tmp_path / "home"), options=options)
        client.hosts = hosts  # type: ignore[assignment]
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def client(make_client: Callable[..., Client]) -> Client:
    return make_client()


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with FakeRegistry() as running:
        yield running


class Internet:
    """Names and reaches as a test wants them: every server still listens on loopback."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: dict[str, list[str]] = {}
        self.reaches: dict[str, Reach] = {}
        real_lookup, real_reach = socket.getaddrinfo, address.reach_of

        def lookup(host, port, *arguments, **options):
            if host in self.names:
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in self.names[host]]
            if host.endswith(".example"):
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return real_lookup(host, port, *arguments, **options)

        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        monkeypatch.setattr(dial, "reach_of", lambda ip: self.reaches.get(ip) or real_reach(ip))

    def place(self, name: str, ip: str, reach: Reach = Reach.PUBLIC) -> None:
        """Let `name` lead to a loopback address that counts as `reach`."""
        self.names[name] = [ip]
        self.reaches[ip] = reach


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Internet:
    return Internet(monkeypatch)
