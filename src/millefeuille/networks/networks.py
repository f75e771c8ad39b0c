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
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial

from millefeuille import files
from millefeuille.annotations import Any, Final
from millefeuille.errors import Conflict, Denied, NotFound, Unnamed
from millefeuille.later import Later, ipaddress
from millefeuille.networks import ends, hostfiles
from millefeuille.networks.connection import Connection, network_settings
from millefeuille.networks.definitions import Definitions, NoSuchNetwork
from millefeuille.networks.hostfiles import Name
from millefeuille.networks.joining import AlreadyConnected
from millefeuille.networks.lease import Carrier, Endpoint, Lease, Leases, Port
from millefeuille.networks.network import Network
from millefeuille.networks.wishes import NOWHERE, Wishes, names
from millefeuille.store import journal
from millefeuille.store.disk import Disk
from millefeuille.values import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille import beside
    from millefeuille.networks import (
        bridges,
        links,
        making,
        namespace,
        netlink,
        pasta,
        pools,
        ports,
        upkeep,
        wiring,
    )
else:
    beside = Later("millefeuille.beside")
    bridges = Later("millefeuille.networks.bridges")
    links = Later("millefeuille.networks.links")
    making = Later("millefeuille.networks.making")
    namespace = Later("millefeuille.networks.namespace")
    netlink = Later("millefeuille.networks.netlink")
    pasta = Later("millefeuille.networks.pasta")
    pools = Later("millefeuille.networks.pools")
    ports = Later("millefeuille.networks.ports")
    upkeep = Later("millefeuille.networks.upkeep")
    wiring = Later("millefeuille.networks.wiring")

__all__ = [
    "AlreadyConnected", "Connection", "Network", "NetworkExists", "NetworkInUse", "Networks",
    "NotConnected",
]  # fmt: skip

_JOIN: Final = "container:"


class NotConnected(Conflict):
    """The other container has no network namespace to join."""


class BridgeDenied(Denied):
    """A network that an ordinary user would need a bridge for."""


class NetworkExists(Conflict):
    """Another network has this name; the message is Docker's."""


class NetworkInUse(Conflict):
    """Containers are on the network; the message is Docker's."""


class Networks:
    """`root` is the directory of the definitions, `run` a directory of what a boot forgets.

    All stores of a host share the directory above `run`, for its addresses and ports are shared too.
    """

    def __init__(self, root: str, run: str) -> None:
        self.definitions = Definitions(root)
        self.leases = Leases(f"{run}/networks")
        self._root = root
        self._run = run
        self._table = f"mille_{self.definitions.store}"

    def get(self, text: str) -> Network:
        """The network with this name, ID or beginning of an ID.

        Raises NoSuchNetwork, DamagedNetwork, Unnamed.
        """
        if not text.strip():
            raise Unnamed("invalid network name or ID: value is empty")
        return self.definitions.find(text)

    def every(self) -> list[Network]:
        """All networks, by name. Raises DamagedNetwork."""
        return self.definitions.every()

    def connected(self, network: Network) -> list[tuple[Lease, Endpoint]]:
        """Who is on the network now."""
        found = ((lease, lease.on(network.id)) for lease in self.leases.every())
        return [(lease, end) for lease, end in found if end is not None]

    def create(self, order: making.Order) -> Network:
        """Make a network; its bridge comes with its first container.

        Raises NetworkExists, PredefinedNetwork, OneInstance, BadNetwork, NetworkUnsupported, PoolTaken,
        NoPool, BridgeDenied, OSError.
        """
        made = replace(making.make(order), store=self.definitions.store)
        _check_bridges()
        with self._locked(), netlink.Netlink() as host:
            others = self.every()
            if any(other.name == made.name for other in others):
                raise NetworkExists(f"network with name {made.name} already exists")
            reserved = [other.subnet for other in others if other.subnet is not None]
            if made.subnet is not None and pools.overlaps(made.subnet, reserved):
                raise pools.PoolTaken(
                    "invalid pool request: Pool overlaps with other one on this address space"
                )
            made = bridges.settled(host, made, others)
            self._found()
            self.definitions.save(made)
        self.note("create", made)
        return made

    def remove(self, text: str) -> Network:
        """Remove the network that `text` means.

        Raises NoSuchNetwork, PredefinedNetwork, NetworkInUse, OSError.
        """
        found = self.get(text)
        if found.predefined:
            raise making.PredefinedNetwork(f"{found.name} is a pre-defined network and cannot be removed")
        with self._locked(), netlink.Netlink() as host:
            found = self.get(text)
            users = [f'name:"{lease.name}" id:"{end.id[:12]}"' for lease, end in self.connected(found)]
            if users:
                raise NetworkInUse(
                    f"error while removing network: network {found.name} has active endpoints"
                    f" ({', '.join(users)})"
                )
            bridges.take_down(host, found)
            self.definitions.forget(found)
        self.note("destroy", found)
        return found

    def note(self, action: str, network: Network, **more: str) -> None:
        """Tell the journal of what befell a network, with `more` that Docker tells of it."""
        facts = {"name": network.name, "type": network.driver, **more}
        journal.note(self._journal(), "network", action, network.id, facts)

    def _journal(self) -> str:
        return Disk(os.path.dirname(self._root)).journal

    def prune(self, accepts: Callable[[Network], bool]) -> list[str]:
        """Remove the networks that nobody is on and that `accepts` lets pass; their names. Raises OSError."""
        removed = []
        for network in self.every():
            if not network.predefined and accepts(network):
                with contextlib.suppress(NetworkInUse, NoSuchNetwork):
                    removed.append(self.remove(network.id).name)
        journal.note_prune(self._journal(), "network")
        return removed

    def namespace(self, container: str) -> str:
        """The path of the container's network namespace, whether it is there or not."""
        return f"{self._run}/netns/{container}"

    def settings(self, container: str, wishes: Wishes) -> Mapping[str, Any]:
        """Docker's NetworkSettings of a container, connected or not."""
        lease = self.leases.read(container)
        absent: dict[str, tuple[str, Mapping[str, Any]]] = {}
        if lease is None:
            mode = {wishes.mode: wishes.idle} if wishes.mode in ("host", "none") else {}
            for name, wish in {**mode, **wishes.endpoints}.items():
                try:
                    network = self.get(name)
                    absent[network.name] = (network.id, wish)
                except NotFound:  # it does not start, and tells by this why
                    absent[name] = ("", wish)
        return network_settings(lease, self._held(lease), absent)

    def connect(self, container: str, wishes: Wishes) -> Connection:
        """Give a container its network, replacing what it had. All of it or, with an error, nothing.

        Raises NoSuchNetwork, NotConnected, BadEndpoint, PortTaken, PoolTaken, NoPool, NoAddress, BadPort,
        Denied, BridgeDenied, PastaMissing, PastaFailed, FilterMissing, FilterFailed, BadExtraHost, OSError.
        """
        if wishes.mode.startswith(_JOIN):
            return self._join(wishes.mode.removeprefix(_JOIN))
        if wishes.private and os.geteuid() != 0:
            raise Denied(
                "a container's own network needs root", advice="Run as root, or with --network host."
            )
        carried = bool(wishes.endpoints) and not namespace.is_governed()
        program = pasta.find() if carried else ""
        self.disconnect(container)
        try:
            with self._locked() as lock, netlink.Netlink() as host:
                lease = self._reserve(host, container, wishes, carried)
                self._prepare(host, lock, lease, wishes, carried)
            if carried:
                self._carry(program, lease)
        except BaseException:
            self.disconnect(container)
            raise
        path = self._held(lease)
        told, resolver = network_settings(lease, path), pasta.RESOLVER if carried else ""
        return Connection(namespace=path, settings=told, ports=lease.ports, resolver=resolver)

    def disconnect(self, container: str) -> None:
        """Give back all that a container holds; that it holds nothing is no error. Raises OSError."""
        if not os.path.lexists(self.leases.path(container)):
            return
        lease = self.leases.read(container)
        if lease is not None and not _plugged(lease):
            namespace.remove(self.namespace(container))
            if lease.carrier is not None:
                pasta.end(lease.carrier)
            with self._locked():
                self.leases.forget(container)
            return
        with self._locked() as lock, netlink.Netlink() as host:
            self._settle_rest(host, lock, without=container)
            # After the cables: the kernel takes a namespace apart while whoever wants an interface waits.
            namespace.remove(self.namespace(container))
            self.leases.forget(container)

    def attach(self, container: str, wishes: Wishes, text: str, wish: Mapping[str, Any]) -> None:
        """Connect a container that runs to one more network, as Docker's EndpointSettings `wish` asks for.

        With its first way out its ports are published. Raises NotConnected, BadEndpoint, and what `connect`
        raises.
        """
        _check_bridges()
        with self._locked() as lock, netlink.Netlink() as host:
            lease = self._running(container)
            if not lease.endpoints and (nothing := self.get(text)).name == "none":
                ends.check(nothing, wish)
                self.leases.write(replace(lease, mode="none", endpoints=(ends.idle(nothing, wish),)))
                return
            found = self._settled(host, text)
            if lease.on(found.id):
                raise AlreadyConnected(
                    f"endpoint with name {wishes.name} already exists in network {found.name}"
                )
            end = self._endpoint(container, wishes, found, wish, ends.free_interface(lease))
            had_way_out = ends.gateway_end(lease) is not None
            lease = replace(lease, endpoints=(*lease.endpoints, end))
            lease = lease if had_way_out else self._published(lease, wishes, [found])
            self.leases.write(lease)
            bridges.raise_up(host, found)
            self._settle_rest(host, lock)
        try:
            wiring.rewire(self.namespace(container), lease, (end,), self.get)
        except BaseException:
            self.detach(container, found.id)
            raise
        if lease.hosts:
            hostfiles.change(lease.hosts, add=Name(ip=end.ip, names=(wishes.hostname,)))

    def detach(self, container: str, text: str) -> None:
        """Disconnect a container that runs from one network.

        Raises NoSuchNetwork, NotConnected, BridgeDenied, OSError.
        """
        _check_bridges()
        found = self.get(text)
        with self._locked() as lock, netlink.Netlink() as host:
            lease = self._running(container)
            end = lease.on(found.id)
            if end is not None and lease.mode == found.name == "none":  # nothing is left of nothing
                self.leases.write(replace(lease, mode=NOWHERE, endpoints=()))
                return
            if end is None or not end.cable:
                raise NotConnected(f"container {container} is not connected to network {found.name}")
            links.remove(host, end.cable)
            kept = tuple(other for other in lease.endpoints if other.id != end.id)
            lease = replace(lease, endpoints=kept)
            lease = lease if ends.gateway_end(lease) else replace(lease, ports=(), exposed=())
            self.leases.write(lease)
            self._settle_rest(host, lock, gone=(end,))
        wiring.rewire(self.namespace(container), lease, (), self.get)
        if lease.hosts:
            hostfiles.change(lease.hosts, remove=end.ip)

    def rename(self, container: str, wishes: Wishes) -> None:
        """Have a container be called as `wishes` say, for whoever is on its networks; with none it is called
        so at its next start. Raises FilterMissing, FilterFailed, OSError.
        """
        if not os.path.lexists(self.leases.path(container)):
            return
        with self._locked() as lock:
            lease = self.leases.read(container)
            if lease is None:
                return
            called = [names(wishes, container, end.network, end.wish) for end in lease.endpoints]
            plugs = tuple(replace(end, names=new) for end, new in zip(lease.endpoints, called, strict=True))
            lease = replace(lease, name=wishes.name, endpoints=plugs)
            self.leases.write(lease)
            if _plugged(lease):
                with netlink.Netlink() as host:
                    self._settle_rest(host, lock)

    def _running(self, container: str) -> Lease:
        lease = self.leases.read(container)
        if lease is None:
            raise NotConnected(f"container {container} is not running")
        return lease

    def sweep(self, idle: Callable[[str], AbstractContextManager[bool]]) -> None:
        """Give back what containers hold that do not run. `idle` says of a container whether nobody has it in
        hand, and keeps it so while its context lasts. Raises OSError.
        """
        for container in self.leases.containers():
            with idle(container) as abandoned:
                if abandoned:
                    self.disconnect(container)
        self._drop_unfinished()

    def _drop_unfinished(self) -> None:
        """Remove files that were on their way to their names when their writer was killed."""
        directories = (self._root, self.leases.directory)
        if any(_unfinished(directory) for directory in directories):
            with self._locked():  # who writes holds it
                for directory in directories:
                    for path in _unfinished(directory):
                        files.unlink(path)

    def _join(self, other: str) -> Connection:
        lease = self.leases.read(other)
        path = self._held(lease)
        if lease is None or (path and not os.path.exists(path)):
            raise NotConnected(f"cannot join network namespace of a non running container: {other}")
        return Connection(namespace=path, settings=network_settings(None), own=False)

    def _held(self, lease: Lease | None) -> str:
        return self.namespace(lease.container) if lease and lease.mode != "host" else ""

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        files.make_directory(os.path.dirname(self._run))
        lock = f"{os.path.dirname(self._run)}/networks.lock"
        with files.locked(lock, "the network of this host") as descriptor:
            yield descriptor

    def _carry(self, program: str, lease: Lease) -> None:
        """Have the container's traffic carried by a process, which the lease names before there is one."""

        def note(carrier: Carrier) -> None:
            with self._locked():
                self.leases.write(replace(lease, carrier=carrier))

        [end] = lease.endpoints
        words = pasta.command(program, self.namespace(lease.container), end, lease.ports)
        with _programming(lease.name, end):
            pasta.start(words, note)

    def _reserve(self, host: netlink.Netlink, container: str, wishes: Wishes, carried: bool) -> Lease:
        """Choose addresses and ports, and write them down. `carried`: by a process, not by cables."""
        for directory in (self._run, self.leases.directory, f"{self._run}/netns"):
            files.make_directory(directory)
        if carried and not all(self.get(name).predefined for name in wishes.endpoints):
            raise _bridge_denied()
        networks = [(self._settled(host, name), wish) for name, wish in wishes.endpoints.items()]
        plugs = [
            self._endpoint(container, wishes, network, wish, f"eth{place}")
            for place, (network, wish) in enumerate(networks)
        ]
        if carried:
            plugs = [replace(end, cable="", bridge="") for end in plugs]
        if wishes.mode in ("host", "none"):
            network = self.get(wishes.mode)
            ends.check(network, wishes.idle)
            plugs = [ends.idle(network, wishes.idle)]
        lease = Lease(
            container=container, name=wishes.name, mode=wishes.mode, hosts=wishes.hosts, exposed=(),
            endpoints=tuple(plugs),
        )  # fmt: skip
        lease = self._published(lease, wishes, [network for network, _ in networks])
        self.leases.write(lease)
        return lease

    def _published(self, lease: Lease, wishes: Wishes, networks: Sequence[Network]) -> Lease:
        """With the ports that are to be published, if the container has a way out, by one of `networks`."""
        outer = ends.gateway_end(lease)
        if outer is None:
            return lease
        address = next(network.host_address for network in networks if network.id == outer.network_id)
        return replace(lease, ports=self._ports(wishes, outer, address), exposed=tuple(wishes.exposed))

    def _found(self) -> None:
        if files.make_directory(self._root):
            files.sync_directory(os.path.dirname(self._root))

    def _settled(self, host: netlink.Netlink, name: str) -> Network:
        network = self.get(name)
        if network.driver != "bridge":
            raise ends.BadEndpoint(f"container cannot be connected to network {name} among others")
        network = self._standing(host, network)
        settled = bridges.settled(host, network, self.every())
        if settled != network:
            self._found()
            self.definitions.save(settled)
        return settled

    def _standing(self, host: netlink.Netlink, network: Network, *, without: str = "") -> Network:
        """The network on the bridge that an earlier version made for it, as long as somebody is on that; the
        container `without` does not count.
        """
        former = network.former_interface
        if not bridges.is_of(host, former, network.id, ""):
            return network
        on = [lease.container for lease, end in self.connected(network) if end.bridge == former]
        return replace(network, bridge=former) if set(on) - {without} else network

    def _endpoint(
        self, container: str, wishes: Wishes, network: Network, wish: Mapping[str, Any], interface: str
    ) -> Endpoint:
        taken = {ipaddress.IPv4Address(end.ip) for _, end in self.connected(network)}
        called = names(wishes, container, network.name, wish)
        return ends.endpoint(network, wish, taken, names=called, interface=interface)

    def _ports(self, wishes: Wishes, end: Endpoint, address: str) -> tuple[Port, ...]:
        wanted = ports.publications(
            wishes.bindings, wishes.exposed, everything=wishes.publish_all, address=address
        )
        with _programming(wishes.name, end):
            return ports.choose(wanted, self._taken_ports(), end.ip)

    def _taken_ports(self) -> list[Port]:
        """The ports of all containers of all stores of this host."""
        directory = os.path.dirname(self._run)
        found: list[Port] = []
        for name in sorted(os.listdir(directory)):
            leases = Leases(f"{directory}/{name}/networks").every()
            found += (port for lease in leases for port in lease.ports)
        return found

    def _prepare(self, host: netlink.Netlink, lock: int, lease: Lease, wishes: Wishes, carried: bool) -> None:
        """Make what the lease tells of."""
        for end in lease.endpoints:
            if end.cable:
                network = self._standing(host, self.get(end.network_id), without=lease.container)
                bridges.raise_up(host, network)
        if lease.hosts:
            reached = pasta.host_address() if carried else ""
            hostfiles.write(lease.hosts, ends.hosts(lease, wishes, host=reached))
        wiring_up = partial(wiring.wire, self.namespace(lease.container), lease, self.get)
        if _plugged(lease):
            with beside.beside(wiring_up):
                self._settle_rest(host, lock)
        elif wishes.private:
            wiring_up()

    def _settle_rest(
        self, host: netlink.Netlink, lock: int, *, without: str = "", gone: Sequence[Endpoint] = ()
    ) -> None:
        every = list(self.leases.every())
        leases = [lease for lease in every if lease.container != without]
        left = (end for lease in every if lease.container == without for end in lease.endpoints)
        gone = [*gone, *left]
        upkeep.settle(
            host, lock, self.every(), leases, gone, leaves=bool(without), store=self.definitions.store,
            table=self._table, told=f"{self.leases.directory}/rules",
        )  # fmt: skip


@contextlib.contextmanager
def _programming(name: str, end: Endpoint) -> Iterator[None]:
    """Say of a port that is taken, in Docker's words, for which container it was wanted."""
    try:
        yield
    except ports.PortTaken as error:
        raise ports.PortTaken(
            "failed to set up container networking: driver failed programming external connectivity on"
            f" endpoint {name} ({end.id}): {error}",
            advice=error.advice,
        ) from error


def _check_bridges() -> None:
    if not namespace.is_governed():
        raise _bridge_denied()


def _bridge_denied() -> BridgeDenied:
    return BridgeDenied(
        "networks of one's own need root: an ordinary user can make no bridge",
        advice="Run as root, or with --network bridge, host, none or container:NAME.",
    )


def _plugged(lease: Lease) -> bool:
    """Whether the container is on a network that others see; else nothing but its own is to be settled."""
    return any(end.cable for end in lease.endpoints)


def _unfinished(directory: str) -> list[str]:
    with contextlib.suppress(FileNotFoundError):
        return [f"{directory}/{name}" for name in os.listdir(directory) if ".tmp-" in name]
    return []
