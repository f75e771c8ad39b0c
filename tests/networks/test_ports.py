"""Which ports of the host are given for what is asked to be published."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from millefeuille.errors import Unsupported
from millefeuille.networks.lease import Port
from millefeuille.networks.ports import BadPort, PortTaken, Publication, choose, publications, split


def published(port: int, host_ip: str, host_port: int, protocol: str = "tcp") -> Port:
    return Port(port=port, protocol=protocol, host_ip=host_ip, host_port=host_port)


def wanted(first: int, last: int = 0, host_ip: str = "127.0.0.1") -> list[Publication]:
    return [Publication(port=80, protocol="tcp", host_ip=host_ip, first=first, last=last or first)]


def free() -> int:
    """A port that nobody has just now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_what_bindings_ask_for() -> None:
    bindings = {
        "80/tcp": [{"HostPort": "0"}, {"HostIp": "127.0.0.1", "HostPort": "8000-8010"}],
        "53/udp": None,
    }
    found = publications(bindings, (), everything=False, address="0.0.0.0")
    told = [(one.port, one.protocol, one.host_ip, one.first, one.last) for one in found]
    # A fixed port comes before those that could be any.
    assert told == [
        (80, "tcp", "127.0.0.1", 8000, 8010),
        (53, "udp", "0.0.0.0", 0, 0),
        (80, "tcp", "0.0.0.0", 0, 0),
    ]


def test_publishing_everything_adds_what_is_exposed() -> None:
    found = publications(
        {"80/tcp": [{"HostPort": "8080"}]}, ["80/tcp", "81/tcp"], everything=True, address="1.2.3.4"
    )
    assert [(one.port, one.host_ip, one.first) for one in found] == [
        (80, "1.2.3.4", 8080),
        (81, "1.2.3.4", 0),
    ]


@pytest.mark.parametrize(
    "bindings",
    [
        {"80/tcp": [{"HostPort": "x"}]}, {"80/tcp": [{"HostPort": "70000"}]},
        {"80/tcp": [{"HostPort": "9-8"}]}, {"80/icmp": [{}]}, {"0/tcp": [{}]},
        {"80/tcp": [{"HostIp": "localhost"}]},
    ],
)  # fmt: skip
def test_what_is_no_port_is_refused(bindings: dict[str, list[dict[str, str]]]) -> None:
    with pytest.raises(BadPort):
        publications(bindings, (), everything=False, address="0.0.0.0")


def test_addresses_of_ipv6_are_refused_and_not_ignored() -> None:
    with pytest.raises(Unsupported):
        publications({"80/tcp": [{"HostIp": "::1"}]}, (), everything=False, address="0.0.0.0")


def test_a_range_gives_its_first_free_port() -> None:
    first = free()
    taken = [published(80, "0.0.0.0", first)]
    [chosen] = choose(wanted(first, first + 50), taken, "172.17.0.2")
    assert first < chosen.host_port <= first + 50


def test_a_random_port_is_one_of_the_hosts_own_range() -> None:
    low, high = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    [chosen] = choose(wanted(0), (), "172.17.0.2")
    assert low <= chosen.host_port <= high


@pytest.mark.parametrize(
    ("other", "clashes"),
    [
        ("127.0.0.1", True), ("0.0.0.0", True), ("127.0.0.2", False),
    ],
)  # fmt: skip
def test_one_address_has_a_port_once(other: str, clashes: bool) -> None:
    number = free()
    taken = [published(81, other, number)]
    if clashes:
        with pytest.raises(PortTaken, match=f"Bind for 127.0.0.1:{number} failed: port is already allocated"):
            choose(wanted(number), taken, "172.17.0.2")
    else:
        assert choose(wanted(number), taken, "172.17.0.2")[0].host_port == number


def test_protocols_have_ports_of_their_own() -> None:
    number = free()
    assert choose(wanted(number), [published(80, "127.0.0.1", number, "udp")], "172.17.0.2")


@pytest.mark.parametrize("key", ["²/tcp", "9" * 5000 + "/tcp", "0", "65536/udp"])
def test_keys_that_are_no_ports(key: str) -> None:
    with pytest.raises(BadPort, match="invalid port specification"):
        split(key)


def test_keys_are_split() -> None:
    assert split("80") == split("80/tcp") == (80, "tcp")
    assert split("53/udp") == (53, "udp")
