"""Networks: the networks of one store, and the containers on them.

    <root>/<network id>.json          what a network is
    <run>/networks/<container>.json   what a container holds, see `lease`
    <run>/networks/rules              what the packet filter was told last
    <run>/netns/<container>           the container's network namespace
    <run>/../networks.lock            held while something is taken or given back, by whichever store

Who connects writes the lease first and acts then; who disconnects gives everything back and forgets the lease
last. So after a kill at any point the lease tells what there may be, and `sweep` gives it back.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from millefeuille import files
from millefeuille.errors import Conflict, Denied, Failed, NotFound
from millefeuille.networks import bridges, ends, hostfiles, links, namespace, rules
from millefeuille.networks.connection import Connection, network_settings
from millefeuille.networks.definitions import Definitions
from millefeuille.networks.lease import Endpoint, Lease, Leases, Port
from millefeuille.networks.netlink import Netlink
from millefeuille.networks.network import Network
from millefeuille.networks.ports import PortTaken, choose, publications
from millefeuille.networks.rules import Published
from millefeuille.networks.wishes import Wishes, names

__all__ = ["BridgeGone", "Connection", "Network", "Networks", "NotConnected"]

_JOIN: Final = "container:"


class NotConnected(Conflict):
    """The other container has no network namespace to join."""


class BridgeGone(Failed):
    """Somebody else removed a bridge while a container was being connected to it."""


class Networks:
    """`root` is the directory of the definitions, `run` a directory of what a boot forgets.

    All stores of a host share the directory above `run`, for its addresses and ports are shared too.
    """

    def __init__(self, root: str, run: str) -> None:
        self.definitions = Definitions(root)
        self.leases = Leases(f"{run}/networks")
        self._root = root
        self._run = run
        self._table = f"mille_{sha256(os.fsencode(root)).hexdigest()[:12]}"

    def get(self, text: str) -> Network:
        """The network with this name, ID or beginning of an ID. Raises NoSuchNetwork, DamagedNetwork."""
        return self.definitions.find(text)

    def every(self) -> list[Network]:
        """All networks, by name. Raises DamagedNetwork."""
        return self.definitions.every()

    def connected(self, network: Network) -> list[tuple[Lease, Endpoint]]:
        """Who is on the network now."""
        found = ((lease, lease.on(network.id)) for lease in self.leases.every())
        return [(lease, end) for lease, end in found if end is not None]

    def namespace(self, container: str) -> str:
        """The path of the container's network namespace, whether it is there or not."""
        return f"{self._run}/netns/{container}"

    def settings(self, container: str, wishes: Wishes) -> Mapping[str, Any]:
        """Docker's NetworkSettings of a container, connected or not."""
        lease = self.leases.read(container)
        absent: dict[str, tuple[str, Mapping[str, Any]]] = {}
        if lease is None:
            mode: dict[str, Mapping[str, Any]] = {wishes.mode: {}} if wishes.mode in ("host", "none") else {}
            for name, wish in {**mode, **wishes.endpoints}.items():
                with contextlib.suppress(NotFound):
                    network = self.get(name)
                    absent[network.name] = (network.id, wish)
        return network_settings(lease, self._held(lease), absent)

    def connect(self, container: str, wishes: Wishes) -> Connection:
        """Give a container its network, replacing what it had. All of it or, with an error, nothing.

        Raises NoSuchNetwork, NotConnected, BadEndpoint, PortTaken, PoolTaken, NoPool, NoAddress, BadPort,
        Denied, FilterMissing, FilterFailed, BadExtraHost, OSError.
        """
        if wishes.mode.startswith(_JOIN):
            return self._join(wishes.mode.removeprefix(_JOIN))
        if wishes.private and os.geteuid() != 0:
            raise Denied(
                "a container's own network needs root", advice="Run as root, or with --network host."
            )
        self.disconnect(container)
        try:
            with self._locked(), Netlink() as host:
                lease = self._reserve(host, container, wishes)
                self._prepare(host, lease, wishes)
            if wishes.private:
                self._wire(lease)
        except BaseException:
            self.disconnect(container)
            raise
        path = self._held(lease)
        return Connection(namespace=path, settings=network_settings(lease, path), ports=lease.ports)

    def disconnect(self, container: str) -> None:
        """Give back all that a container holds; that it holds nothing is no error. Raises OSError."""
        if not os.path.lexists(self.leases.path(container)):
            return
        lease = self.leases.read(container)
        namespace.remove(self.namespace(container))
        with Netlink() as host:
            for end in lease.endpoints if lease else ():
                if end.cable:
                    links.remove(host, end.cable)
            with self._locked():
                self._settle_rest(host, without=container)
                self.leases.forget(container)

    def sweep(self, alive: Callable[[str], bool]) -> None:
        """Give back what containers hold for whom `alive` is false: their owners were killed."""
        for container in self.leases.containers():
            if not alive(container):
                self.disconnect(container)

    def _join(self, other: str) -> Connection:
        lease = self.leases.read(other)
        path = self._held(lease)
        if lease is None or (path and not os.path.exists(path)):
            raise NotConnected(f"cannot join network namespace of a non running container: {other}")
        return Connection(namespace=path, settings=network_settings(None), own=False)

    def _held(self, lease: Lease | None) -> str:
        return self.namespace(lease.container) if lease and lease.mode != "host" else ""

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        for directory in (os.path.dirname(self._run), self._run, self.leases.directory, f"{self._run}/netns"):
            files.make_directory(directory)
        if not os.path.isdir(self._root):
            files.make_directory(self._root)
            files.sync_directory(os.path.dirname(self._root))
        lock = f"{os.path.dirname(self._run)}/networks.lock"
        with files.locked(lock, "the network of this host"):
            yield

    def _reserve(self, host: Netlink, container: str, wishes: Wishes) -> Lease:
        """Choose addresses and ports, and write them down."""
        networks = [(self._settled(host, name), wish) for name, wish in wishes.endpoints.items()]
        plugs = [
            self._endpoint(container, wishes, network, wish, f"eth{place}")
            for place, (network, wish) in enumerate(networks)
        ]
        if wishes.mode in ("host", "none"):
            plugs = [ends.idle(self.get(wishes.mode))]
        lease = Lease(
            container=container, name=wishes.name, mode=wishes.mode, hosts=wishes.hosts, exposed=(),
            endpoints=tuple(plugs),
        )  # fmt: skip
        outer = ends.gateway_end(lease)
        if outer is not None:
            address = next(network.host_address for network, _ in networks if network.id == outer.network_id)
            lease = replace(lease, ports=self._ports(wishes, outer, address), exposed=tuple(wishes.exposed))
        self.leases.write(lease)
        return lease

    def _settled(self, host: Netlink, name: str) -> Network:
        network = self.get(name)
        if network.driver != "bridge":
            raise ends.BadEndpoint(f"container cannot be connected to network {name} among others")
        settled = bridges.settled(host, network, self.every())
        if settled != network:
            self.definitions.save(settled)
        return settled

    def _endpoint(
        self, container: str, wishes: Wishes, network: Network, wish: Mapping[str, Any], interface: str
    ) -> Endpoint:
        taken = {ipaddress.IPv4Address(end.ip) for _, end in self.connected(network)}
        called = names(wishes, container, network.name, wish)
        return ends.endpoint(network, wish, taken, names=called, interface=interface)

    def _ports(self, wishes: Wishes, end: Endpoint, address: str) -> tuple[Port, ...]:
        wanted = publications(wishes.bindings, wishes.exposed, everything=wishes.publish_all, address=address)
        try:
            return choose(wanted, self._taken_ports(), end.ip)
        except PortTaken as error:
            raise PortTaken(
                "failed to set up container networking: driver failed programming external connectivity on"
                f" endpoint {wishes.name} ({end.id}): {error}"
            ) from error

    def _taken_ports(self) -> list[Port]:
        """The ports of all containers of all stores of this host."""
        directory = os.path.dirname(self._run)
        found: list[Port] = []
        for name in sorted(os.listdir(directory)):
            leases = Leases(f"{directory}/{name}/networks").every()
            found += (port for lease in leases for port in lease.ports)
        return found

    def _prepare(self, host: Netlink, lease: Lease, wishes: Wishes) -> None:
        """Everything outside the container's own namespace."""
        for end in lease.endpoints:
            if end.cable:
                bridges.raise_up(host, self.get(end.network_id))
        if lease.hosts:
            hostfiles.write(lease.hosts, ends.hosts(lease, wishes))
        self._settle_rest(host)

    def _settle_rest(self, host: Netlink, *, without: str = "") -> None:
        """Bring in line with the leases, less that of `without`: rules, unused bridges, names of peers."""
        leases = [lease for lease in self.leases.every() if lease.container != without]
        used = {end.network_id for lease in leases for end in lease.endpoints if end.cable}
        networks = [network for network in self.every() if network.driver == "bridge"]
        self._apply([network for network in networks if network.id in used], leases)
        for network in networks:
            if network.id not in used:
                bridges.take_down(host, network)
        for lease in leases:
            if lease.hosts:
                hostfiles.update_peers(lease.hosts, ends.peers(lease, leases))

    def _apply(self, networks: list[Network], leases: list[Lease]) -> None:
        published = [
            Published(port=port, ip=end.ip)
            for lease in leases
            if (end := ends.gateway_end(lease)) is not None
            for port in lease.ports
        ]
        told = rules.text(self._table, networks, published)
        path = f"{self.leases.directory}/rules"
        try:
            with open(path) as file:
                same = file.read() == told
        except FileNotFoundError:
            same = not networks
        if not same or (networks and not rules.exists(self._table)):
            rules.apply(told)
            files.replace_file(path, told.encode())

    def _wire(self, lease: Lease) -> None:
        """The container's own namespace, and its cables."""
        path = self.namespace(lease.container)
        inside = namespace.make(path)
        with inside, Netlink() as host:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                for end in lease.endpoints:
                    if end.cable:
                        self._plug(host, inside, descriptor, end)
            finally:
                os.close(descriptor)
            outer = ends.gateway_end(lease)
            number = links.index(inside, outer.interface) if outer else None
            if outer is not None and number is not None:
                links.add_default_route(inside, number, ipaddress.ip_address(outer.gateway))

    def _plug(self, host: Netlink, inside: Netlink, descriptor: int, end: Endpoint) -> None:
        network = self.get(end.network_id)
        bridge = links.index(host, network.interface)
        if bridge is None:
            raise BridgeGone(f"the bridge {network.interface} of network {network.name} is gone")
        links.add_pair(
            host, end.cable, bridge, peer=end.interface, namespace=descriptor, mac=end.mac, mtu=network.mtu
        )
        number = links.index(host, end.cable)
        if number is not None:
            links.allow_hairpin(host, number)
        peer = links.index(inside, end.interface)
        if peer is not None:
            # The address first: when the interface comes up, it tells everybody whose address it is now.
            links.add_address(inside, peer, end.address)
        links.set_up(inside, end.interface)
