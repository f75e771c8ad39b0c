"""Where a reference is fetched from."""

from __future__ import annotations

import ipaddress

import pytest

from millefeuille.oci.reference import Reference
from millefeuille.registry.daemonjson import DaemonJson
from millefeuille.registry.hosts import BadLocation, BlockedRegistry, Endpoint, Hosts
from millefeuille.registry.registriesconf import Entry, Location


def places(hosts, name, *, push=False):
    """(host, repository, schemes) of each endpoint."""
    found = hosts.endpoints(Reference.parse(name), push=push)
    return [(place.host, place.repository, place.schemes) for place in found]


BOTH = ("https", "http")


@pytest.mark.parametrize(
    ("name", "host", "repository", "schemes"),
    [
        ("nginx:1.24", "registry-1.docker.io", "library/nginx", ("https",)),
        ("ghcr.io/a/b", "ghcr.io", "a/b", ("https",)),
        ("127.0.0.1:5000/x", "127.0.0.1:5000", "x", BOTH),
        ("127.9.9.9/x", "127.9.9.9", "x", BOTH),
        ("localhost:5000/x", "localhost:5000", "x", BOTH),
        ("r.localhost/x", "r.localhost", "x", BOTH),
        ("[::1]:5000/x", "[::1]:5000", "x", BOTH),
        ("10.0.0.1:5000/x", "10.0.0.1:5000", "x", ("https",)),
        ("localhost.example/x", "localhost.example", "x", ("https",)),
    ],
)
def test_nothing_configured(name, host, repository, schemes):
    assert places(Hosts(), name) == [(host, repository, schemes)]


def test_insecure_registries_of_docker():
    daemon = DaemonJson(
        insecure=frozenset({"reg.example:5000"}), networks=(ipaddress.ip_network("10.0.0.0/8"),)
    )
    hosts = Hosts(daemon=daemon)
    assert places(hosts, "reg.example:5000/x")[0][2] == BOTH
    assert places(hosts, "10.1.2.3/x")[0][2] == BOTH
    assert places(hosts, "11.1.2.3/x")[0][2] == ("https",)


def test_insecure_network_counts_for_names_too(internet):
    internet.place("inside.example", "127.0.0.5")
    networks = (ipaddress.ip_network("192.0.2.0/24"),)
    internet.names["other.example"] = ["192.0.2.7"]
    hosts = Hosts(daemon=DaemonJson(networks=networks))
    assert hosts.is_insecure("other.example:5000")
    assert not hosts.is_insecure("nowhere.example")


def test_mirrors_of_docker_hub_only():
    hosts = Hosts(daemon=DaemonJson(mirrors=(("http", "127.0.0.1:5000"), ("https", "m.example"))))
    assert places(hosts, "nginx") == [
        ("127.0.0.1:5000", "library/nginx", ("http",)),
        ("m.example", "library/nginx", ("https",)),
        ("registry-1.docker.io", "library/nginx", ("https",)),
    ]
    assert len(places(hosts, "ghcr.io/a/b")) == 1
    assert len(places(hosts, "nginx", push=True)) == 1


def test_registries_conf_rewrites_and_mirrors():
    entry = Entry(
        prefix="docker.io/library",
        location="main.example/hub",
        mirrors=(Location(location="127.0.0.1:5000/m", by_tag=False),),
    )
    hosts = Hosts(entries=(entry,))
    found = hosts.endpoints(Reference.parse("nginx"))
    assert found == (
        Endpoint(
            host="127.0.0.1:5000",
            repository="m/nginx",
            schemes=BOTH,
            insecure=True,
            mirror=True,
            by_tag=False,
        ),
        Endpoint(host="main.example", repository="hub/nginx"),
    )
    assert places(hosts, "team/app") == [("registry-1.docker.io", "team/app", ("https",))]


def test_location_docker_io_is_its_endpoint():
    hosts = Hosts(entries=(Entry(prefix="a.example", location="docker.io/team"),))
    assert places(hosts, "a.example/x") == [("registry-1.docker.io", "team/x", ("https",))]


def test_insecure_registry_of_registries_conf():
    hosts = Hosts(entries=(Entry(prefix="a.example", location="a.example", insecure=True),))
    assert places(hosts, "a.example/x") == [("a.example", "x", BOTH)]
    assert hosts.registry("a.example").insecure


def test_blocked():
    hosts = Hosts(entries=(Entry(prefix="docker.io", location="docker.io", blocked=True),))
    for push in (False, True):
        with pytest.raises(BlockedRegistry, match=r"registry docker\.io is blocked"):
            hosts.endpoints(Reference.parse("nginx"), push=push)


def test_blocked_at_any_port():
    hosts = Hosts(entries=(Entry(prefix="*.example.com", location="", blocked=True),))
    for name in ("a.example.com/x", "a.example.com:5000/x"):
        with pytest.raises(BlockedRegistry, match=r"registry \*\.example\.com is blocked"):
            hosts.endpoints(Reference.parse(name))


def test_insecure_at_any_port():
    hosts = Hosts(entries=(Entry(prefix="*.example.com", location="", insecure=True),))
    assert hosts.endpoints(Reference.parse("a.example.com:5000/x"))[0].insecure
    assert hosts.registry("a.example.com:5000").insecure
    assert not hosts.registry("example.com:5000").insecure


@pytest.mark.parametrize("name", ["host.example:0/x", "host.example:99999/x"])
def test_ports_that_there_are_not(name):
    with pytest.raises(BadLocation, match="port from 1 to 65535"):
        Hosts().endpoints(Reference.parse(name))


@pytest.mark.parametrize("name", ["LocalHost:5000", "Reg.LOCALHOST:5000"])
def test_loopback_names_in_any_case(name):
    assert Hosts().registry(name).insecure


@pytest.mark.parametrize("port", ["²", "9" * 5000, ""])
def test_locations_with_ports_that_there_are_not(port):
    hosts = Hosts(entries=(Entry(prefix="reg.example", location=f"host.example:{port}"),))
    with pytest.raises(BadLocation, match="port from 1 to 65535"):
        hosts.endpoints(Reference.parse("reg.example/x"))


def test_account_names():
    assert Hosts().registry("docker.io").account == "docker.io"
    assert Hosts().registry("docker.io").host == "registry-1.docker.io"
    assert Hosts().registry("a.example:5000").account == "a.example:5000"


def test_certificates_of_the_first_directory_that_there_is(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    (second / "a.example:5000").mkdir(parents=True)
    (second / "docker.io").mkdir()
    hosts = Hosts(certificate_directories=(str(first), str(second)))
    assert hosts.endpoints(Reference.parse("a.example:5000/x"))[0].certificates == str(
        second / "a.example:5000"
    )
    assert hosts.endpoints(Reference.parse("a.example/x"))[0].certificates is None
    assert hosts.endpoints(Reference.parse("nginx"))[0].certificates == str(second / "docker.io")


def test_load_reads_both_files(tmp_path):
    (tmp_path / "r.conf").write_text('[[registry]]\nlocation = "a.example"\nblocked = true')
    (tmp_path / "d.json").write_text('{"insecure-registries": ["b.example"]}')
    environment = {
        "CONTAINERS_REGISTRIES_CONF": str(tmp_path / "r.conf"),
        "MILLE_DAEMON_JSON": str(tmp_path / "d.json"),
    }
    hosts = Hosts.load(environment, str(tmp_path))
    assert hosts.is_insecure("b.example")
    with pytest.raises(BlockedRegistry):
        hosts.endpoints(Reference.parse("a.example/x"))
