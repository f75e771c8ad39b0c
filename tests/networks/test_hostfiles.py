"""/etc/hosts and /etc/resolv.conf of containers."""

from __future__ import annotations

from pathlib import Path

import pytest

from millefeuille.networks import hostfiles
from millefeuille.networks.hostfiles import BadExtraHost, Name, hosts, resolver, with_peers

PEER = Name(ip="10.0.0.2", names=("web", "db"))


def test_hosts_has_dockers_lines_in_dockers_order() -> None:
    text = hosts(
        [Name(ip="10.0.0.9", names=("box",))], ["a:1.2.3.4", "b:[::1]", "gw:host-gateway"], gateway="10.0.0.1"
    )
    assert text == (
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n"
        "ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"
        "1.2.3.4\ta\n::1\tb\n10.0.0.1\tgw\n10.0.0.9\tbox\n"
    )


@pytest.mark.parametrize("extra", ["a", "a:", ":1.2.3.4", "a:b", "gw:host-gateway"])
def test_extra_hosts_need_an_address(extra: str) -> None:
    with pytest.raises(BadExtraHost):
        hosts((), [extra])


def test_peers_come_and_go_and_other_lines_stay() -> None:
    text = "127.0.0.1\tlocalhost\n# a remark\n"
    with_one = with_peers(text, [PEER])
    assert with_one == text + "10.0.0.2\tweb db\t# mille\n"
    assert with_peers(with_one, [PEER]) == with_one
    assert with_peers(with_one, ()) == text


def test_the_file_stays_the_same_and_shrinks(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    hostfiles.write(str(path), "127.0.0.1\tlocalhost\n")
    before = path.stat()
    hostfiles.update_peers(str(path), [PEER])
    hostfiles.change(str(path), add=Name(ip="10.0.0.9", names=("box",)))
    assert path.read_text() == "127.0.0.1\tlocalhost\n10.0.0.9\tbox\n10.0.0.2\tweb db\t# mille\n"
    hostfiles.change(str(path), remove="10.0.0.9")
    hostfiles.update_peers(str(path), ())
    assert path.read_text() == "127.0.0.1\tlocalhost\n"
    assert path.stat().st_ino == before.st_ino
    hostfiles.update_peers(str(tmp_path / "gone"), [PEER])


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("kept\n")
    (tmp_path / "hosts").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError):
        hostfiles.write(str(tmp_path / "hosts"), "x")
    with pytest.raises(OSError):
        hostfiles.update_peers(str(tmp_path / "hosts"), [PEER])
    assert (tmp_path / "victim").read_text() == "kept\n"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The host's resolv.conf."""
    monkeypatch.setattr(hostfiles, "_HOST_RESOLVER", str(tmp_path / "resolv.conf"))
    monkeypatch.setattr(hostfiles, "_SYSTEMD_RESOLVER", str(tmp_path / "systemd"))
    return tmp_path / "resolv.conf"


def test_the_resolver_of_the_host_without_its_local_servers(host: Path) -> None:
    host.write_text("# x\nnameserver 127.0.0.53\nnameserver 10.1.1.1 # y\nsearch a b\noptions edns0\n")
    assert resolver({}) == "nameserver 10.1.1.1\nsearch a b\noptions edns0\n"
    assert resolver({}, host_network=True) == host.read_text()


def test_a_resolver_of_the_hosts_own_gives_way(host: Path) -> None:
    host.write_text("nameserver 127.0.0.53\n")
    assert resolver({}) == "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"
    (host.parent / "systemd").write_text("nameserver 10.2.2.2\nsearch c\n")
    assert resolver({}) == "nameserver 10.2.2.2\nsearch c\n"


def test_a_resolver_of_the_hosts_own_may_be_reached_elsewhere(host: Path) -> None:
    host.write_text("nameserver 127.0.0.53\nsearch c\n")
    assert resolver({}, local="169.254.1.1") == "nameserver 169.254.1.1\nsearch c\n"
    assert resolver({"Dns": ["9.9.9.9"]}, local="169.254.1.1") == "nameserver 9.9.9.9\nsearch c\n"
    host.write_text("nameserver 127.0.0.53\nnameserver 10.1.1.1\n")
    assert resolver({}, local="169.254.1.1") == "nameserver 10.1.1.1\n"
    host.write_text("")
    assert resolver({}, local="169.254.1.1").startswith("nameserver 8.8.8.8\n")


def test_what_is_asked_for_replaces_the_hosts(host: Path) -> None:
    host.write_text("nameserver 10.1.1.1\nsearch a b\noptions edns0\n")
    wishes = {"Dns": ["127.0.0.1"], "DnsSearch": ["."], "DnsOptions": ["ndots:2"]}
    assert resolver(wishes) == "nameserver 127.0.0.1\noptions ndots:2\n"
    assert resolver({"Dns": ["9.9.9.9"]}) == "nameserver 9.9.9.9\nsearch a b\noptions edns0\n"


def test_a_host_without_a_file(host: Path) -> None:
    assert resolver({}, host_network=True) == ""
    assert resolver({}) == "nameserver 8.8.8.8\nnameserver 8.8.4.4\n"
