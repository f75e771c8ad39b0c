"""Which subnets and addresses are given out."""

from __future__ import annotations

from ipaddress import IPv4Address as Address
from ipaddress import IPv4Network as Subnet

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.networks.pools import NoAddress, NoPool, allocate, first, hardware_address, pick


def test_subnets_are_dockers_in_its_order() -> None:
    assert pick(()) == Subnet("172.17.0.0/16")
    assert pick([Subnet("172.17.5.0/24")]) == Subnet("172.18.0.0/16")
    assert pick([Subnet("172.16.0.0/12")]) == Subnet("192.168.0.0/20")
    with pytest.raises(NoPool, match="all predefined address pools have been fully subnetted"):
        pick([Subnet("0.0.0.0/0")])


def test_what_is_reserved_is_taken_last() -> None:
    assert pick((), [Subnet("172.17.0.0/16")]) == Subnet("172.18.0.0/16")
    assert pick((), [Subnet("0.0.0.0/0")]) == Subnet("172.17.0.0/16")


def test_an_address_is_the_first_free_one() -> None:
    subnet = Subnet("10.0.0.0/29")
    taken = {first(subnet)}
    found = []
    for _ in range(5):
        found.append(allocate(subnet, taken))
        taken.add(found[-1])
    assert [str(address) for address in found] == [f"10.0.0.{number}" for number in range(2, 7)]
    with pytest.raises(NoAddress, match="no available IPv4 addresses on this network's address pools"):
        allocate(subnet, taken)


def test_a_range_within_the_subnet_has_no_ends_of_its_own() -> None:
    subnet, part = Subnet("10.0.0.0/24"), Subnet("10.0.0.128/30")
    taken: set[Address] = set()
    while len(taken) < 4:
        taken.add(allocate(subnet, taken, within=part))
    assert {str(address) for address in taken} == {f"10.0.0.{number}" for number in range(128, 132)}


@pytest.mark.parametrize("wish", ["10.0.0.0", "10.0.0.255", "10.0.0.1", "10.0.1.1"])
def test_wishes_that_cannot_be(wish: str) -> None:
    with pytest.raises(NoAddress):
        allocate(Subnet("10.0.0.0/24"), {Address("10.0.0.1")}, wish=Address(wish))


@given(st.sets(st.integers(1, 14)))
def test_no_address_is_given_twice(numbers: set[int]) -> None:
    subnet = Subnet("10.0.0.0/28")
    taken = {subnet.network_address + number for number in numbers}
    if len(taken) == 14:
        return
    given_out = allocate(subnet, taken)
    assert given_out not in taken
    assert given_out in list(subnet.hosts())


def test_hardware_addresses_are_local_and_of_one_interface() -> None:
    found = {hardware_address(str(number)) for number in (*range(50), *range(50))}
    assert len(found) == 50
    assert all(int(text[:2], 16) & 3 == 2 and len(text) == 17 for text in found)
