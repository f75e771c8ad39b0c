from __future__ import annotations

from typing import Any

import pytest

from millefeuille.containers.conflicts import Conflicting, check, check_networks
from millefeuille.errors import Invalid


@pytest.mark.parametrize(
    ("config", "host_config", "said"),
    [
        ({"WorkingDir": "a"}, {}, "the working directory 'a' is invalid, it needs to be an absolute path"),
        ({"StopSignal": "NOSUCH"}, {}, "invalid signal: NOSUCH"),
        ({"Hostname": "h"}, {"UTSMode": "host"}, "conflicting options: hostname and the UTS mode"),
        ({}, {"NetworkMode": "container:"}, "invalid network mode: invalid container format"),
        ({"Hostname": "h"}, {"NetworkMode": "container:x"}, "conflicting options: hostname and the network"),
        ({}, {"NetworkMode": "container:x", "Dns": ["1.1.1.1"]}, "conflicting options: dns and the network"),
        ({}, {"NetworkMode": "container:x", "ExtraHosts": ["a:::1"]}, "custom host-to-IP mapping"),
        ({}, {"NetworkMode": "container:x", "PublishAllPorts": True}, "port publishing and the container"),
        ({"ExposedPorts": {"1/tcp": {}}}, {"NetworkMode": "container:x"}, "port exposing and the container"),
        (
            {},
            {"RestartPolicy": {"Name": "x"}},
            "unknown policy 'x'; use one of 'no', 'always', 'on-failure', or",
        ),
        ({}, {"RestartPolicy": {"Name": "no", "MaximumRetryCount": 1}}, "can only be used with 'on-failure'"),
        (
            {},
            {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": -1}},
            "maximum retry count cannot be negative",
        ),
        (
            {},
            {"AutoRemove": True, "RestartPolicy": {"Name": "always"}},
            "can't create 'AutoRemove' container",
        ),
    ],
)
def test_refused(config: dict[str, Any], host_config: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=r".") as caught:
        check(config, host_config)
    assert said in str(caught.value)


def test_granted() -> None:
    check(
        {"WorkingDir": "/a", "StopSignal": "SIGQUIT", "Hostname": "h"},
        {"NetworkMode": "bridge", "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2}},
    )
    with pytest.raises(Conflicting):
        check({"WorkingDir": "a"}, {})


@pytest.mark.parametrize("names", [("none", "host"), ("bridge", "none")])
def test_networks_that_do_not_go_together(names: tuple[str, ...]) -> None:
    with pytest.raises(Conflicting) as caught:
        check_networks({name: {} for name in names})
    listed = ", ".join(sorted(names))
    assert str(caught.value) == f"Container cannot be connected to network endpoints: {listed}"
    check_networks({"mine": {}, "other": {}})
    check_networks({"host": {}})


@pytest.mark.parametrize(
    ("version", "address"),
    [(4, "bad"), (4, "::1"), (4, "1.2.3"), (4, "01.2.3.4"), (4, "10.1.2.3/8"), (6, "bad"), (6, "10.1.2.3")],
)
def test_addresses_that_are_none(version: int, address: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_networks({"mine": {"IPAMConfig": {f"IPv{version}Address": address}}})
    assert str(caught.value) == f"invalid IPv{version} address: {address}"


def test_addresses() -> None:
    check_networks({"mine": {"IPAMConfig": {"IPv4Address": "10.1.2.3", "IPv6Address": "fd00::1"}}})
    check_networks({"mine": {"IPAMConfig": None}, "other": {"IPAMConfig": {"IPv4Address": ""}}})
