"""`network` in words: what Docker 28 prints, but for what docs/docker-differences.md says."""

from __future__ import annotations

import json

import pytest
from tests.faces.cli.home import Home


def test_three_are_there_from_the_start(home: Home) -> None:
    out, err, code = home.mille("network", "ls")
    assert (err, code) == ("", 0)
    lines = out.splitlines()
    assert lines[0] == "NETWORK ID     NAME      DRIVER    SCOPE"
    assert [line.split()[1:] for line in lines[1:]] == [
        ["bridge", "bridge", "local"], ["host", "host", "local"], ["none", "null", "local"],
    ]  # fmt: skip
    assert home.mille("network", "ls")[0] == out, "and stay the same"
    assert not home.store.exists()


def test_a_network_is_made_shown_and_removed(home: Home) -> None:
    words = ("--subnet", "10.123.0.0/16", "--ip-range", "10.123.5.0/24", "--gateway", "10.123.5.254")
    options = ("--label", "a=b", "-o", "com.docker.network.driver.mtu=1400", "--internal")
    out, err, code = home.mille("network", "create", *words, *options, "full")
    assert (err, code) == ("", 0)
    [told] = json.loads(home.mille("network", "inspect", "full")[0])
    assert told.pop("Created").startswith("20")
    assert told == {
        "Name": "full", "Id": out.strip(), "Scope": "local", "Driver": "bridge", "EnableIPv4": True,
        "EnableIPv6": False,
        "IPAM": {
            "Driver": "default", "Options": {},
            "Config": [{"Subnet": "10.123.0.0/16", "IPRange": "10.123.5.0/24", "Gateway": "10.123.5.254"}],
        },
        "Internal": True, "Attachable": False, "Ingress": False, "ConfigFrom": {"Network": ""},
        "ConfigOnly": False, "Containers": {}, "Options": {"com.docker.network.driver.mtu": "1400"},
        "Labels": {"a": "b"},
    }  # fmt: skip
    shown = home.mille(
        "network", "inspect", "-f", "{{.Name}} {{.IPAM.Config}} {{.Options}} {{.Containers}}", "full"
    )
    assert shown == (
        "full [{10.123.0.0/16 10.123.5.0/24 10.123.5.254 map[]}] map[com.docker.network.driver.mtu:1400]"
        " map[]\n",
        "", 0,
    )  # fmt: skip
    assert home.mille("network", "rm", "full", "nosuch") == ("full\n", "Error: network nosuch not found\n", 1)
    assert home.mille("network", "rm", "-f", "nosuch") == ("", "", 0)


def test_templates_see_the_fields_that_only_networks_of_a_swarm_show(home: Home) -> None:
    assert home.mille("network", "inspect", "-f", "{{.Peers}} {{.Services}}", "none") == ("[] map[]\n", "", 0)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("create", "bridge"), "Error: operation is not permitted on predefined bridge network"),
        (("create", "-d", "nope", "x1"), 'Error: plugin "nope" not found'),
        (("create", "-d", "host", "x1"), 'Error: only one instance of "host" network is allowed'),
        (("create", "--subnet", "nope", "x1"), "Error: Invalid subnet nope : invalid CIDR address: nope"),
        (
            ("create", "--subnet", "10.1.0.0/16", "--gateway", "10.2.0.1", "x1"),
            "no matching subnet for gateway 10.2.0.1",
        ),
        (
            ("create", "--subnet", "10.1.0.0/16", "--ip-range", "10.2.0.0/24", "x1"),
            "no matching subnet for range 10.2.0.0/24",
        ),
        (
            ("create", "--gateway", "10.1.0.1", "x1"),
            "every ip-range or gateway must have a corresponding subnet",
        ),
        (("create", "--ipv6", "x1"), "Error: --ipv6 is not supported"),
        (("create", "-o", "foo=bar", "x1"), "Error: option foo=bar of a bridge network is not supported"),
        (("create", "--scope", "swarm", "x1"), "Error: --scope swarm is not supported"),
        (("rm", "host"), "Error: host is a pre-defined network and cannot be removed"),
        (("connect", "bridge", "nosuch"), "Error: No such container: nosuch"),
        (("disconnect", "bridge", "nosuch"), "Error: No such container: nosuch"),
        (("connect", "--link", "a:b", "bridge", "nosuch"), "Error: --link is not supported"),
        (("ls", "-f", "type=bad"), "Error: invalid filter: 'type'='bad'"),
        (("ls", "-f", "nope=x"), "Error: invalid filter 'nope'"),
        (
            ("ls", "-f", "dangling=bad"),
            'Error: invalid value for filter \'dangling\', must be "true" (or "1"), or "false" (or "0")',
        ),
        (("prune", "-f", "--filter", "nope=1"), "Error: invalid filter 'nope'"),
    ],
)
def test_refusals(home: Home, words: tuple[str, ...], complaint: str) -> None:
    assert home.mille("network", *words) == ("", f"{complaint}\n", 1)


def test_filters_and_formats(home: Home) -> None:
    for number in (10, 2):
        label = ("--label", f"n={number}")
        subnet = ("--subnet", f"10.200.{number}.0/24")
        assert home.mille("network", "create", *label, *subnet, f"net{number}")[2] == 0

    def names(*filters: str) -> list[str]:
        flags = [word for text in filters for word in ("-f", text)]
        out, err, code = home.mille("network", "ls", "--format", "{{.Name}}", *flags)
        assert (err, code) == ("", 0)
        return out.split()

    assert names() == ["bridge", "host", "net2", "net10", "none"]
    assert names("type=custom") == names("dangling=true") == names("name=net") == ["net2", "net10"]
    assert names("type=builtin") == names("dangling=false") == ["bridge", "host", "none"]
    assert names("driver=host", "driver=null") == ["host", "none"]
    assert names("label=n=2") == ["net2"]
    assert names("scope=swarm") == []
    told = json.loads(home.mille("network", "ls", "-f", "name=net2", "--format", "json")[0])
    assert told.pop("CreatedAt").endswith(" +0000 UTC")
    assert len(told.pop("ID")) == 12
    assert told == {
        "Driver": "bridge", "IPv4": "true", "IPv6": "false", "Internal": "false", "Labels": "n=2",
        "Name": "net2", "Scope": "local",
    }  # fmt: skip
    assert home.mille("network", "ls", "-f", "name=net2", "--format", 'table {{.Label "n"}}')[0] == "n\n2\n"
    identity = home.mille("network", "inspect", "-f", "{{.ID}}", "net2")[0]
    assert home.mille("network", "ls", "-q", "--no-trunc", "-f", "name=net2")[0] == identity


def test_prune_asks_and_tells(home: Home) -> None:
    assert home.mille("network", "create", "--subnet", "10.201.0.0/24", "ours")[2] == 0
    question = (
        "WARNING! This will remove all custom networks not used by at least one container.\n"
        "Are you sure you want to continue? [y/N] "
    )
    assert home.mille("network", "prune", typed="n\n") == (question, "", 0)
    assert home.mille("network", "prune", "-f", "--filter", "label=x") == ("", "", 0)
    assert home.mille("network", "prune", "-f") == ("Deleted Networks:\nours\n\n", "", 0)
    assert home.mille("network", "prune", "-f") == ("", "", 0)


@pytest.mark.parametrize("last", [0, 255])
def test_a_gateway_is_an_address_that_somebody_can_have(home: Home, last: int) -> None:
    gateway = f"10.99.0.{last}"
    words = ("--subnet", "10.99.0.0/24", "--gateway", gateway)
    assert home.mille("network", "create", *words, "wide") == (
        "", f"Error: failed to allocate gateway ({gateway}): Address already in use\n", 1,
    )  # fmt: skip
    assert "wide" not in home.mille("network", "ls")[0]
