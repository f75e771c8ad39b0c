"""Networks on a real kernel: reached by address, by name and by published port, and given back."""

from __future__ import annotations

import http.client
import http.server
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.killing import was_killed
from tests.networks.conftest import Stand, within

from millefeuille import files
from millefeuille.networks import bridges, links, rules
from millefeuille.networks.bridges import InterfaceTaken
from millefeuille.networks.definitions import NoSuchNetwork
from millefeuille.networks.ends import BadEndpoint
from millefeuille.networks.making import Order, PredefinedNetwork
from millefeuille.networks.netlink import Netlink
from millefeuille.networks.network import Network
from millefeuille.networks.networks import (
    AlreadyConnected,
    NetworkExists,
    NetworkInUse,
    Networks,
    NotConnected,
)
from millefeuille.networks.pools import PoolTaken
from millefeuille.networks.ports import PortTaken

A, B, C = "a" * 64, "b" * 64, "c" * 64
PATIENCE = 2.0  # seconds until a packet is taken for lost


@contextmanager
def serving(namespace: str, port: int) -> Iterator[None]:
    """An HTTP server in a namespace, which answers every path with a greeting."""

    class Greeting(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello from inside")

        def log_message(self, *arguments: object) -> None:
            pass

    server = within(namespace, lambda: http.server.HTTPServer(("0.0.0.0", port), Greeting))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def fetched(host: str, port: int) -> str:
    """What the server answers."""
    with closing(http.client.HTTPConnection(host, port, timeout=PATIENCE)) as connection:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()


def address(settings: Any, network: str = "bridge") -> str:
    return str(settings["Networks"][network]["IPAddress"])


@pytest.mark.walk
def test_containers_on_a_bridge_reach_each_other_by_address(stand: Stand) -> None:
    web = stand.networks.connect(A, stand.wishes("web"))
    other = stand.networks.connect(B, stand.wishes("other"))
    with serving(web.namespace, 80):
        assert within(other.namespace, lambda: fetched(address(web.settings), 80)) == "hello from inside"


@pytest.mark.walk
def test_containers_on_a_network_of_the_users_know_each_other_by_name(stand: Stand) -> None:
    stand.networks.create(Order(name="ours"))
    asked = {"EndpointsConfig": {"ours": {"Aliases": ["db"]}}}
    web = stand.networks.connect(A, stand.wishes("web", "ours", networking=asked))
    stand.networks.connect(B, stand.wishes("other", "ours"))
    line = next(line for line in (stand.directory / "other").read_text().splitlines() if "web" in line)
    assert line.split() == [address(web.settings, "ours"), "web", "db", A[:12], "web.host", "#", "mille"]
    assert "other" in (stand.directory / "web").read_text()
    stand.networks.disconnect(A)
    assert "web" not in (stand.directory / "other").read_text()


@pytest.mark.walk
def test_a_renamed_container_is_known_by_its_new_name_alone(stand: Stand) -> None:
    stand.networks.create(Order(name="ours"))
    asked = {"EndpointsConfig": {"ours": {"Aliases": ["db", "web"]}, "bridge": {}}}
    stand.networks.connect(A, stand.wishes("web", "ours", networking=asked))
    stand.networks.connect(B, stand.wishes("other", "ours"))
    renamed = replace(stand.wishes("site", "ours", networking=asked), hostname="web.host")
    stand.networks.rename(A, renamed)
    for name in ("web", "other"):
        lines = (stand.directory / name).read_text().splitlines()
        [line] = [line for line in lines if A[:12] in line]
        assert line.split()[1:] == ["site", "db", "web", A[:12], "web.host", "#", "mille"]
    lease = stand.networks.leases.read(A)
    assert lease is not None and lease.name == "site"
    assert [end.names for end in lease.endpoints if end.network == "bridge"] == [()]
    stand.networks.rename(C, renamed)  # it has no network
    assert stand.networks.leases.containers() == [A, B]


@pytest.mark.walk
def test_containers_on_the_default_bridge_have_no_names_for_each_other(stand: Stand) -> None:
    stand.networks.connect(A, stand.wishes("web"))
    stand.networks.connect(B, stand.wishes("other"))
    assert "web" not in (stand.directory / "other").read_text()


@pytest.mark.walk
def test_what_a_container_wrote_into_its_hosts_file_stays(stand: Stand) -> None:
    stand.networks.create(Order(name="ours"))
    stand.networks.connect(A, stand.wishes("web", "ours"))
    path = stand.directory / "web"
    before = path.stat().st_ino
    with path.open("a") as file:
        file.write("10.1.1.1\tmine\n")
    stand.networks.connect(B, stand.wishes("other", "ours"))
    assert "10.1.1.1\tmine\n" in path.read_text()
    assert "other" in path.read_text()
    assert path.stat().st_ino == before  # it is mounted in the container


@pytest.mark.walk
def test_who_leaves_needs_no_other_to_be_told(stand: Stand) -> None:
    stand.networks.create(Order(name="ours"))
    for id, name in ((A, "web"), (B, "other")):
        stand.networks.connect(id, stand.wishes(name, "ours"))
    before = stand.interfaces()
    path = stand.directory / "other"
    path.rename(stand.directory / "aside")
    path.mkdir()  # as it is on a disk that is read-only: it cannot be written
    stand.networks.disconnect(A)
    assert stand.networks.leases.containers() == [B]
    assert len(stand.interfaces()) == len(before) - 1
    with pytest.raises(IsADirectoryError):
        stand.networks.connect(C, stand.wishes("third", "ours"))
    assert stand.networks.leases.containers() == [B]
    path.rmdir()
    (stand.directory / "aside").rename(path)
    assert "web" in path.read_text()
    stand.networks.connect(C, stand.wishes("third", "ours"))
    assert "web" not in path.read_text() and "third" in path.read_text()


@pytest.mark.walk
def test_a_port_published_on_the_loopback_address_reaches_the_container(stand: Stand) -> None:
    bindings = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}
    web = stand.networks.connect(A, stand.wishes("web", PortBindings=bindings))
    assert web.settings["Ports"] == {
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}],
        "90/tcp": None,
    }
    with serving(web.namespace, 80):
        assert fetched("127.0.0.1", 8080) == "hello from inside"
        with pytest.raises(OSError):
            fetched(web.settings["Gateway"], 8080)
    stand.networks.disconnect(A)
    with pytest.raises(ConnectionRefusedError):
        fetched("127.0.0.1", 8080)
    assert stand.left() == []


@pytest.mark.walk
def test_a_port_published_everywhere_is_reached_from_the_host_and_from_containers(stand: Stand) -> None:
    web = stand.networks.connect(A, stand.wishes("web", PortBindings={"80/tcp": [{"HostPort": "8080"}]}))
    stand.networks.create(Order(name="ours"))
    near = stand.networks.connect(B, stand.wishes("near"))
    far = stand.networks.connect(C, stand.wishes("far", "ours"))
    gateway = web.settings["Gateway"]
    with serving(web.namespace, 80):
        assert fetched("127.0.0.1", 8080) == "hello from inside"
        for namespace in (web.namespace, near.namespace, far.namespace):
            assert within(namespace, lambda: fetched(gateway, 8080)) == "hello from inside"


@pytest.mark.walk
def test_one_network_is_not_reached_from_another(stand: Stand) -> None:
    web = stand.networks.connect(A, stand.wishes("web"))
    stand.networks.create(Order(name="ours"))
    far = stand.networks.connect(B, stand.wishes("far", "ours"))
    with serving(web.namespace, 80), pytest.raises(TimeoutError):
        within(far.namespace, lambda: fetched(address(web.settings), 80))


@pytest.mark.walk
def test_an_internal_network_has_no_way_out(stand: Stand) -> None:
    stand.networks.create(Order(name="inner", internal=True))
    connection = stand.networks.connect(A, stand.wishes("web", "inner"))
    assert connection.settings["Networks"]["inner"]["Gateway"] == ""
    with pytest.raises(OSError, match="unreachable"):
        within(connection.namespace, lambda: fetched("192.0.2.1", 80))


@pytest.mark.walk
def test_containers_do_not_reach_the_loopback_address_of_the_host(stand: Stand) -> None:
    web = stand.networks.connect(A, stand.wishes("web"))
    namespace = web.namespace

    def knock() -> None:
        Path("/proc/sys/net/ipv4/conf/all/route_localnet").write_text("1")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
            sender.sendto(b"x", ("127.0.0.1", 5353))

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 5353))
        receiver.settimeout(0.3)
        within(namespace, knock)
        with pytest.raises(TimeoutError):
            receiver.recv(1)


@pytest.mark.walk
def test_a_port_is_given_once(stand: Stand) -> None:
    bound = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}
    stand.networks.connect(A, stand.wishes("web", PortBindings=bound))
    with pytest.raises(PortTaken) as refused:
        stand.networks.connect(B, stand.wishes("other", PortBindings={"80/tcp": [{"HostPort": "8080"}]}))
    words = str(refused.value)
    assert words.startswith(
        "failed to set up container networking: driver failed programming external connectivity on endpoint"
        " other ("
    )
    assert words.endswith("): Bind for 0.0.0.0:8080 failed: port is already allocated")
    assert stand.networks.leases.containers() == [A]


@pytest.mark.walk
def test_a_port_that_a_program_of_the_host_has_is_not_given(stand: Stand) -> None:
    with socket.create_server(("127.0.0.1", 8080)):
        with pytest.raises(
            PortTaken, match=r"failed to bind host port for 0\.0\.0\.0:8080:172\.17\.0\.2:80/tcp"
        ):
            stand.networks.connect(A, stand.wishes("web", PortBindings={"80/tcp": [{"HostPort": "8080"}]}))
    assert stand.left() == []


@pytest.mark.walk
def test_none_has_the_loopback_interface_alone(stand: Stand) -> None:
    connection = stand.networks.connect(A, stand.wishes("web", "none"))
    assert within(connection.namespace, stand.interfaces) == ["lo"]
    assert stand.interfaces() == ["lo"]
    assert list(connection.settings["Networks"]) == ["none"]


@pytest.mark.walk
def test_host_is_the_namespace_of_the_host(stand: Stand) -> None:
    connection = stand.networks.connect(A, stand.wishes("web", "host"))
    assert connection.namespace == ""
    assert not connection.needs_release
    assert stand.interfaces() == ["lo"]


@pytest.mark.walk
def test_a_network_that_is_not_there_is_told_of_all_the_same(stand: Stand) -> None:
    there = stand.networks.settings(A, stand.wishes("web", "nosuch"))["Networks"]
    (told,) = there.items()
    assert (told[0], told[1]["NetworkID"], told[1]["EndpointID"]) == ("nosuch", "", "")
    assert stand.networks.settings(A, stand.wishes("web", f"container:{B}"))["Networks"] == {}


@pytest.mark.walk
def test_a_container_joins_another(stand: Stand) -> None:
    web = stand.networks.connect(A, stand.wishes("web"))
    assert stand.networks.connect(B, stand.wishes("other", f"container:{A}")).namespace == web.namespace
    with pytest.raises(NotConnected, match="non running container"):
        stand.networks.connect(B, stand.wishes("other", f"container:{C}"))


@pytest.mark.walk
def test_a_running_container_is_connected_to_one_more_network_and_disconnected(stand: Stand) -> None:
    stand.networks.create(Order(name="ours"))
    connection = stand.networks.connect(A, stand.wishes("web"))
    other = stand.networks.connect(B, stand.wishes("other", "ours"))
    stand.networks.attach(A, stand.wishes("web"), "ours", {"Aliases": ["db"]})
    assert within(connection.namespace, stand.interfaces) == ["eth0", "eth1", "lo"]
    with serving(connection.namespace, 80):
        there = stand.networks.settings(A, stand.wishes("web"))
        assert within(other.namespace, lambda: fetched(address(there, "ours"), 80)) == "hello from inside"
    assert "db" in (stand.directory / "other").read_text()
    with pytest.raises(AlreadyConnected):
        stand.networks.attach(A, stand.wishes("web"), "ours", {})
    stand.networks.detach(A, "ours")
    assert within(connection.namespace, stand.interfaces) == ["eth0", "lo"]
    assert "db" not in (stand.directory / "other").read_text()
    with pytest.raises(NotConnected, match="is not connected to network ours"):
        stand.networks.detach(A, "ours")


@pytest.mark.walk
def test_ports_are_published_with_the_first_way_out_and_with_each_later_one(stand: Stand) -> None:
    stand.networks.create(Order(name="inner", internal=True))
    for name in ("one", "two", "three"):
        stand.networks.create(Order(name=name))
    bound = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}], "81/tcp": [{}]}
    asked = stand.wishes("web", "inner", PortBindings=bound)
    web = stand.networks.connect(A, asked)
    with serving(web.namespace, 80):
        assert stand.networks.settings(A, asked)["Ports"] == {}
        for name in ("one", "two"):
            stand.networks.attach(A, asked, name, {})
            told = stand.networks.settings(A, asked)["Ports"]
            assert told["80/tcp"] == [{"HostIp": "127.0.0.1", "HostPort": "8080"}]
            assert told.keys() == {"80/tcp", "81/tcp", "90/tcp"} and told["81/tcp"]
            assert fetched("127.0.0.1", 8080) == "hello from inside"
            stand.networks.attach(A, asked, "three", {})  # a way out beside it changes nothing
            assert stand.networks.settings(A, asked)["Ports"] == told
            stand.networks.detach(A, "three")
            assert fetched("127.0.0.1", 8080) == "hello from inside"
            stand.networks.detach(A, name)
            assert stand.networks.settings(A, asked)["Ports"] == {}
    stand.networks.connect(B, stand.wishes("other", PortBindings={"80/tcp": bound["80/tcp"]}))
    with pytest.raises(PortTaken, match="programming external connectivity on endpoint web"):
        stand.networks.attach(A, asked, "one", {})
    assert "one" not in stand.networks.settings(A, asked)["Networks"]


@pytest.mark.walk
def test_an_address_asked_for_is_given(stand: Stand) -> None:
    stand.networks.create(Order(name="ours", subnet="10.77.0.0/24"))
    asked = {"EndpointsConfig": {"ours": {"IPAMConfig": {"IPv4Address": "10.77.0.9"}}}}
    web = stand.networks.connect(A, stand.wishes("web", "ours", networking=asked))
    assert address(web.settings, "ours") == "10.77.0.9"
    with pytest.raises(Exception, match="Address already in use"):
        stand.networks.connect(B, stand.wishes("other", "ours", networking=asked))
    asked = {"EndpointsConfig": {"bridge": {"IPAMConfig": {"IPv4Address": "172.17.0.9"}}}}
    with pytest.raises(BadEndpoint, match="user defined networks only"):
        stand.networks.connect(B, stand.wishes("other", networking=asked))
    asked = {"EndpointsConfig": {"ours": {"IPAMConfig": {"IPv4Address": "bad"}}}}
    with pytest.raises(BadEndpoint, match="invalid IPv4 address: bad"):
        stand.networks.connect(B, stand.wishes("other", "ours", networking=asked))


def hardware_address() -> str | None:
    """What the container's own end of the network has."""
    with Netlink() as link:
        return links.hardware_address(link, "eth0")


@pytest.mark.walk
def test_who_gets_the_address_of_another_is_reached_by_those_who_knew_that_one(stand: Stand) -> None:
    stand.networks.create(Order(name="ours"))
    client = stand.networks.connect(A, stand.wishes("client", "ours"))
    told = []
    for name in (B, C, B):
        server = stand.networks.connect(name, stand.wishes("server", "ours"))
        told.append(server.settings["Networks"]["ours"])
        with serving(server.namespace, 80):
            there = told[0]["IPAddress"]
            assert within(client.namespace, lambda there=there: fetched(there, 80)) == "hello from inside"
            assert fetched(there, 80) == "hello from inside"
        assert within(server.namespace, hardware_address) == told[0]["MacAddress"]
        stand.networks.disconnect(name)
    assert {(end["IPAddress"], end["MacAddress"]) for end in told} == {
        (told[0]["IPAddress"], told[0]["MacAddress"])
    }
    other = stand.networks.connect(B, stand.wishes("other"))
    assert len({end["MacAddress"] for end in (*other.settings["Networks"].values(), told[0])}) == 2


@pytest.mark.walk
def test_a_hardware_address_is_read_as_go_reads_it(stand: Stand) -> None:
    for text in ("02:11:22:33:44:aa", "02-11-22-33-44-AA", "0211.2233.44aa"):
        asked = {"EndpointsConfig": {"bridge": {"MacAddress": text}}}
        web = stand.networks.connect(A, stand.wishes("web", networking=asked))
        assert web.settings["Networks"]["bridge"]["MacAddress"] == "02:11:22:33:44:aa"
        assert within(web.namespace, hardware_address) == "02:11:22:33:44:aa"
        stand.networks.disconnect(A)
    asked = {"EndpointsConfig": {"bridge": {"MacAddress": "02:11:22:33:44:55:66:77"}}}
    with pytest.raises(BadEndpoint, match="invalid MAC address: 02:11:22:33:44:55:66:77"):
        stand.networks.connect(B, stand.wishes("other", networking=asked))
    assert stand.left() == []


@pytest.mark.walk
def test_networks_are_found_made_and_removed(stand: Stand) -> None:
    made = stand.networks.create(Order(name="ours"))
    assert stand.networks.get("ours") == stand.networks.get(made.id[:9]) == made
    assert str(made.subnet) == "172.18.0.0/16"  # the first is that of the default bridge
    with pytest.raises(NetworkExists, match="network with name ours already exists"):
        stand.networks.create(Order(name="ours"))
    with pytest.raises(PoolTaken, match="Pool overlaps with other one on this address space"):
        stand.networks.create(Order(name="again", subnet="172.18.5.0/24"))
    stand.networks.connect(A, stand.wishes("web", "ours"))
    with pytest.raises(NetworkInUse, match='network ours has active endpoints \\(name:"web" id:'):
        stand.networks.remove("ours")
    stand.networks.disconnect(A)
    stand.networks.remove("ours")
    with pytest.raises(NoSuchNetwork, match="network ours not found"):
        stand.networks.get("ours")
    with pytest.raises(PredefinedNetwork, match="bridge is a pre-defined network and cannot be removed"):
        stand.networks.remove("bridge")
    assert stand.left() == []


@pytest.mark.walk
def test_a_subnet_that_the_host_uses_meanwhile_is_left_to_it(stand: Stand) -> None:
    first = stand.networks.create(Order(name="ours"))
    neighbour = replace(first, id="f" * 64, chosen=False)
    other = type(stand.networks)(f"{stand.directory}/root/others", f"{stand.directory}/run/other")
    os.makedirs(f"{stand.directory}/root/others")
    other.definitions.save(replace(neighbour, name="theirs"))
    other.connect(B, stand.wishes("other", "theirs"))
    connection = stand.networks.connect(A, stand.wishes("web", "ours"))
    other.disconnect(B)
    assert not address(connection.settings, "ours").startswith("172.18.")


@pytest.mark.walk
def test_all_is_given_back_when_the_store_is_gone(stand: Stand) -> None:
    stand.networks.create(Order(name="ours"))
    stand.networks.connect(A, stand.wishes("web", PortBindings={"80/tcp": [{"HostPort": "8080"}]}))
    stand.networks.connect(B, stand.wishes("other", "ours"))
    shutil.rmtree(stand.directory / "root")
    stand.networks.disconnect(A)
    stand.networks.disconnect(B)
    assert stand.left() == []


@pytest.mark.walk
def test_an_interface_of_somebody_elses_is_neither_used_nor_removed(stand: Stand) -> None:
    with Netlink() as host:
        links.add_bridge(host, "br0", "02:00:00:00:00:01", 1500)
    options = {"com.docker.network.bridge.name": "br0"}
    stand.networks.create(Order(name="ours", options=options))
    with pytest.raises(InterfaceTaken, match="network ours: this host has an interface br0 already"):
        stand.networks.connect(A, stand.wishes("web", "ours"))
    stand.networks.connect(A, stand.wishes("web"))
    stand.networks.disconnect(A)
    stand.networks.remove("ours")
    assert stand.interfaces() == ["br0", "lo"]


@pytest.mark.walk
def test_a_copy_of_a_store_has_bridges_of_its_own(stand: Stand) -> None:
    stand.networks.create(Order(name="ours"))
    first = stand.networks.connect(A, stand.wishes("web", "ours"))
    shutil.copytree(stand.directory / "root", stand.directory / "copy")
    copy = Networks(f"{stand.directory}/copy/networks", f"{stand.directory}/run/copy")
    second = copy.connect(A, stand.wishes("copied", "ours"))
    names = [name for name in stand.interfaces() if name.startswith("mf-")]
    assert len(names) == 2 and all(len(name) == 15 for name in names)
    assert address(first.settings, "ours") != address(second.settings, "ours")
    copy.disconnect(A)
    assert len([name for name in stand.interfaces() if name.startswith("mf-")]) == 1
    web = stand.networks.connect(B, stand.wishes("other", "ours"))
    with serving(web.namespace, 80):
        assert within(first.namespace, lambda: fetched(address(web.settings, "ours"), 80))
    for id in (A, B):
        stand.networks.disconnect(id)
    assert stand.left() == []


@pytest.mark.walk
def test_a_copy_does_not_take_a_bridge_that_has_the_name_asked_for(stand: Stand) -> None:
    stand.networks.create(Order(name="ours", options={"com.docker.network.bridge.name": "br0"}))
    stand.networks.connect(A, stand.wishes("web", "ours"))
    shutil.copytree(stand.directory / "root", stand.directory / "copy")
    copy = Networks(f"{stand.directory}/copy/networks", f"{stand.directory}/run/copy")
    with pytest.raises(InterfaceTaken):
        copy.connect(A, stand.wishes("copied", "ours"))
    assert "br0" in stand.interfaces()


@contextmanager
def earlier(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The block is what a version did that gave bridges names and addresses whatever the store."""
    told = bridges.hardware_address
    with monkeypatch.context() as version:
        version.setattr(Network, "interface", Network.former_interface)
        version.setattr(bridges, "hardware_address", lambda id, _: told(id, ""))
        yield


@pytest.mark.walk
@pytest.mark.parametrize("options", [{}, {"com.docker.network.bridge.name": "br0"}])
def test_a_bridge_that_an_earlier_version_made_stays_in_use(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, options: dict[str, str]
) -> None:
    stand.networks.create(Order(name="ours", options=options))
    with earlier(monkeypatch):
        first = stand.networks.connect(A, stand.wishes("web", "ours"))
    before = stand.networks.get("ours").former_interface
    assert before in stand.interfaces()
    second = stand.networks.connect(B, stand.wishes("other", "ours"))
    with serving(second.namespace, 80):
        assert within(first.namespace, lambda: fetched(address(second.settings, "ours"), 80))
    stand.networks.attach(B, stand.wishes("other", "ours"), "bridge", {})
    stand.networks.disconnect(A)
    assert before in stand.interfaces()
    stand.networks.disconnect(B)
    assert stand.left() == []
    stand.networks.connect(A, stand.wishes("web", "ours"))
    assert (before in stand.interfaces()) is bool(options)


@pytest.mark.walk
@pytest.mark.parametrize("options", [{}, {"com.docker.network.bridge.name": "br0"}])
def test_a_bridge_that_an_earlier_version_made_goes_with_who_leaves_it_last(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, options: dict[str, str]
) -> None:
    for name in ("ours", "others"):
        stand.networks.create(Order(name=name, options=options if name == "ours" else {}))
    with earlier(monkeypatch):
        stand.networks.connect(A, stand.wishes("web", "ours"))
    before = stand.networks.get("ours").former_interface
    stand.networks.attach(A, stand.wishes("web", "ours"), "others", {})
    assert before in stand.interfaces()
    stand.networks.detach(A, "ours")
    assert before not in stand.interfaces()
    stand.networks.disconnect(A)
    assert stand.left() == []


@pytest.mark.walk
def test_a_bridge_that_an_earlier_version_made_goes_with_its_network(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand.networks.create(Order(name="ours"))
    with earlier(monkeypatch):
        stand.networks.connect(A, stand.wishes("web", "ours"))
    shutil.copytree(stand.directory / "root", stand.directory / "copy")
    copy = Networks(f"{stand.directory}/copy/networks", f"{stand.directory}/run/copy")
    before = stand.networks.get("ours").former_interface
    copy.remove("ours")
    assert before in stand.interfaces()  # somebody is on it
    with Netlink() as host:
        links.remove(host, *(name for name in stand.interfaces() if name.startswith("mv-")))
    lease = stand.networks.leases.read(A)
    assert lease is not None
    stand.networks.leases.write(replace(lease, endpoints=()))  # and whoever did so was killed
    stand.networks.remove("ours")
    assert before not in stand.interfaces()


@pytest.mark.walk
def test_a_bridge_has_the_name_that_is_asked_for(stand: Stand) -> None:
    stand.networks.create(Order(name="ours", options={"com.docker.network.bridge.name": "br0"}))
    stand.networks.connect(A, stand.wishes("web", "ours"))
    assert "br0" in stand.interfaces()
    stand.networks.disconnect(A)
    assert stand.left() == []


@pytest.mark.walk
def test_rules_that_somebody_flushed_come_back(stand: Stand) -> None:
    bound = {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]}
    web = stand.networks.connect(A, stand.wishes("web", PortBindings=bound))
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    stand.networks.connect(B, stand.wishes("other"))
    with serving(web.namespace, 80):
        assert fetched("127.0.0.1", 8080) == "hello from inside"


@pytest.mark.walk
def test_several_interfaces_go_at_once_and_no_others(stand: Stand) -> None:
    with Netlink() as host:
        for number, name in enumerate(("br0", "br1", "br2", "br3")):
            links.add_bridge(host, name, f"02:00:00:00:00:0{number}", 1500)
        links.remove(host, "br0", "nosuch", "br2")
        assert stand.interfaces() == ["br1", "br3", "lo"]
        links.remove(host, "nosuch", "neither")
        links.remove(host, "br1")
        links.remove(host)
        assert stand.interfaces() == ["br3", "lo"]
        links.remove(host, "br3")


@pytest.mark.walk
def test_rules_told_twice_stand_there_once(stand: Stand) -> None:
    wanted = "table ip mille_twice {\nchain ports {\ntcp dport 80 accept\n}\n}\n"
    list_table = ["nft", "list", "table", "ip", "mille_twice"]
    with files.locked(str(stand.directory / "lock"), "a test") as lock:
        for _ in range(2):
            rules.apply("mille_twice", wanted, lock)
            told = subprocess.run(list_table, capture_output=True, check=True).stdout
            assert told.count(b"accept") == 1
        for _ in range(2):
            rules.apply("mille_twice", "", lock)
            assert not rules.exists("mille_twice")


def forwarding() -> str:
    """The chain FORWARD; nothing where there is no iptables."""
    if shutil.which("iptables") is None:
        return ""
    told = subprocess.run(["iptables", "-S", "FORWARD"], capture_output=True, text=True, check=True)
    return told.stdout


@pytest.mark.walk
def test_a_firewall_that_forwards_nothing_lets_containers_through(stand: Stand) -> None:
    if shutil.which("iptables") is None:
        pytest.skip("iptables is not installed")
    subprocess.run(["iptables", "-P", "FORWARD", "DROP"], check=True)
    before = forwarding()
    web = stand.networks.connect(A, stand.wishes("web", PortBindings={"80/tcp": [{"HostPort": "8080"}]}))
    stand.networks.create(Order(name="ours"))
    far = stand.networks.connect(B, stand.wishes("far", "ours"))
    with serving(web.namespace, 80):
        gateway = web.settings["Gateway"]
        assert within(far.namespace, lambda: fetched(gateway, 8080)) == "hello from inside"
    assert forwarding().count("ACCEPT") == 4
    stand.networks.disconnect(B)
    assert forwarding().count("ACCEPT") == 2
    stand.networks.disconnect(A)
    assert forwarding() == before
    assert stand.left() == []


@pytest.mark.walk
@pytest.mark.parametrize("what", ["connect", "disconnect", "attach"])
def test_nothing_is_left_when_a_process_is_killed_at_any_act(stand: Stand, what: str) -> None:
    stand.networks.create(Order(name="ours"))
    bound = {"80/tcp": [{"HostPort": "8080"}]}
    asked = stand.wishes("web", "ours", PortBindings=bound)
    acts = {
        "connect": lambda: stand.networks.connect(A, asked),
        "disconnect": lambda: stand.networks.disconnect(A),
        "attach": lambda: stand.networks.attach(A, asked, "bridge", {}),
    }
    if shutil.which("iptables"):
        subprocess.run(["iptables", "-P", "FORWARD", "DROP"], check=True)
    kills, killed = 0, True
    while killed:
        if what != "connect":
            stand.networks.connect(A, asked)
        killed = was_killed(acts[what], kills + 1)
        stand.networks.sweep(lambda _: nullcontext(True))
        assert stand.left() == [], f"killed at act {kills + 1}"
        assert "ACCEPT" not in forwarding(), f"killed at act {kills + 1}"
        kills += killed
    assert kills > 5


@pytest.mark.walk
def test_containers_that_are_connected_at_once_get_an_address_each(stand: Stand) -> None:
    ids = [f"{number:064x}" for number in range(30)]
    children = []
    for id in ids:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                wished = stand.wishes(id[-4:], PortBindings={"80/tcp": [{"HostPort": ""}]})
                stand.networks.connect(id, wished)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 30
    leases = list(stand.networks.leases.every())
    assert len({lease.endpoints[0].ip for lease in leases}) == 30
    assert len({lease.ports[0].host_port for lease in leases}) == 30
    for id in ids:
        stand.networks.disconnect(id)
    assert stand.left() == []
