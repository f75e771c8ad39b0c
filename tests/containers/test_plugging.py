"""Containers that do not run, connected to networks: nothing but their records changes."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest

from millefeuille.containers import plugging, records
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.networks.ends import BadEndpoint
from millefeuille.networks.network import Network
from millefeuille.networks.networks import Networks
from millefeuille.networks.pools import NoAddress
from millefeuille.oci.digest import Digest

ID = "a" * 64


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A store with the record of one container."""
    found = Place(str(tmp_path), str(tmp_path / "run"))
    Path(found.directory(ID)).mkdir(parents=True)
    records.save(
        found,
        Container(
            id=ID, name="web", created="", image=Digest.parse("sha256:" + "0" * 64), chain=None, layers=(),
            path="true", args=(), platform="linux/amd64", config={}, host_config={"NetworkMode": "bridge"},
        ),
    )  # fmt: skip
    return found


@pytest.fixture
def networks(tmp_path: Path) -> Networks:
    """One network with a subnet that its user chose, and one with another."""
    found = Networks(str(tmp_path / "networks"), str(tmp_path / "run" / "store"))
    (tmp_path / "networks").mkdir()
    for at, name in enumerate(("ours", "any"), 7):
        subnet = IPv4Network(f"10.{at}.0.0/24")
        found.definitions.save(
            Network(
                id=f"{at}" * 64, name=name, subnet=subnet, gateway=IPv4Address(f"10.{at}.0.1"),
                chosen=name == "any",
            )
        )  # fmt: skip
    return found


def _plugged(place: Place, networks: Networks, network: str, wish: dict[str, Any]) -> Any:
    plugging.plug(place, networks, records.load(place, ID), network, wish)
    return records.load(place, ID).networking["EndpointsConfig"]


def test_what_is_asked_for_is_written_down(place: Place, networks: Networks) -> None:
    wish = {"IPAMConfig": {"IPv4Address": "10.7.0.9"}, "Aliases": ["db"]}
    assert _plugged(place, networks, "ours", wish) == {"ours": wish}
    assert _plugged(place, networks, "any", {"Aliases": ["db"]}).keys() == {"ours", "any"}


@pytest.mark.parametrize(
    ("network", "wish", "words"),
    [
        ("any", {"IPAMConfig": {"IPv4Address": "10.8.0.9"}}, "networks with user configured subnets"),
        ("none", {"IPAMConfig": {"IPv4Address": "10.8.0.9"}}, "user defined networks only"),
        ("none", {"Aliases": ["db"]}, "alias is supported only"),
        ("ours", {"MacAddress": "02:11:22:33:44:55:66:77"}, "invalid MAC address"),
        ("ours", {"IPAMConfig": {"IPv4Address": "10.99.1.1"}}, "does not belong to any of this network's"),
        ("ours", {"IPAMConfig": {"IPv4Address": "10.7.0.1"}}, "Address already in use"),
        ("ours", {"IPAMConfig": {"IPv4Address": "10.7.0.255"}}, "Address already in use"),
    ],
)
def test_what_a_network_cannot_give_is_refused_at_once(
    place: Place, networks: Networks, network: str, wish: dict[str, Any], words: str
) -> None:
    container = records.load(place, ID)
    if network == "none":
        plugging.unplug(place, networks, container, "bridge")
    before = Path(place.record(ID)).read_bytes()
    with pytest.raises((BadEndpoint, NoAddress), match=words):
        _plugged(place, networks, network, wish)
    assert Path(place.record(ID)).read_bytes() == before
