"""How far away addresses are, in every spelling."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millefeuille.registry.address import Reach, literal_reach, permits, reach_of


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        ("8.8.8.8", Reach.PUBLIC),
        ("2001:4860:4860::8888", Reach.PUBLIC),
        ("10.0.0.1", Reach.PRIVATE),
        ("172.16.0.1", Reach.PRIVATE),
        ("172.32.0.1", Reach.PUBLIC),
        ("192.168.1.1", Reach.PRIVATE),
        ("100.64.0.1", Reach.PRIVATE),
        ("fc00::1", Reach.PRIVATE),
        ("127.0.0.1", Reach.LOOPBACK),
        ("127.255.255.254", Reach.LOOPBACK),
        ("0.0.0.0", Reach.LOOPBACK),
        ("::", Reach.LOOPBACK),
        ("::1", Reach.LOOPBACK),
        ("169.254.169.254", Reach.LINK_LOCAL),
        ("fe80::1%eth0", Reach.LINK_LOCAL),
        ("fd00:ec2::254", Reach.LINK_LOCAL),
        ("::ffff:127.0.0.1", Reach.LOOPBACK),
        ("::ffff:10.0.0.1", Reach.PRIVATE),
        ("::ffff:8.8.8.8", Reach.PUBLIC),
        ("2002:7f00:1::", Reach.LOOPBACK),
        ("64:ff9b::a9fe:a9fe", Reach.LINK_LOCAL),
    ],
)
def test_reach_of(address, reach):
    assert reach_of(address) is reach


@pytest.mark.parametrize(
    ("host", "reach"),
    [
        ("localhost", Reach.LOOPBACK),
        ("LOCALHOST.", Reach.LOOPBACK),
        ("a.localhost", Reach.LOOPBACK),
        ("[::1]", Reach.LOOPBACK),
        ("2130706433", Reach.LOOPBACK),
        ("0x7f000001", Reach.LOOPBACK),
        ("127.1", Reach.LOOPBACK),
        ("0177.0.0.1", Reach.LOOPBACK),
        ("0x7f.0.0.1", Reach.LOOPBACK),
        ("2852039166", Reach.LINK_LOCAL),
        ("registry.example.com", None),
        ("localhost.example", None),
        ("1.2.3.4.5", None),
        ("99999999999", None),
        ("", None),
    ],
)
def test_literal_reach(host, reach):
    assert literal_reach(host) is reach


@given(st.ip_addresses(v=4))
def test_every_spelling_of_an_address_is_the_same(address):
    number = int(address)
    expected = reach_of(str(address))
    assert literal_reach(str(number)) is expected
    assert literal_reach(hex(number)) is expected
    assert literal_reach(f"[::ffff:{address}]") is expected
    assert reach_of(str(ipaddress.IPv6Address(f"::ffff:{address}"))) is expected


@pytest.mark.parametrize(
    ("registry", "target", "allowed"),
    [
        (Reach.PUBLIC, Reach.PUBLIC, True),
        (Reach.PUBLIC, Reach.PRIVATE, False),
        (Reach.PUBLIC, Reach.LOOPBACK, False),
        (Reach.PUBLIC, Reach.LINK_LOCAL, False),
        (Reach.PRIVATE, Reach.PUBLIC, True),
        (Reach.PRIVATE, Reach.PRIVATE, True),
        (Reach.PRIVATE, Reach.LOOPBACK, False),
        (Reach.PRIVATE, Reach.LINK_LOCAL, False),
        (Reach.LOOPBACK, Reach.LOOPBACK, True),
        (Reach.LOOPBACK, Reach.PRIVATE, True),
        (Reach.LOOPBACK, Reach.LINK_LOCAL, False),
        (Reach.LINK_LOCAL, Reach.LINK_LOCAL, True),
    ],
)
def test_permits(registry, target, allowed):
    assert permits(registry, target) is allowed
