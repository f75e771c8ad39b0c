"""Containers that reach each other, are reached, and keep data: `mille` from end to end."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.faces.cli.home import Home
from tests.hosts import host_of_its_own

from millefeuille.networks import links
from millefeuille.networks.netlink import Netlink
from millefeuille.store.journal import Reader
from millefeuille.testing.images import MadeImage, write_docker_archive

pytestmark = pytest.mark.walk
SERVE = ("httpd", "-f", "-p", "80", "-h", "/etc")
PATIENCE = 10.0  # seconds until a server that has been started listens


@pytest.fixture
def home(containers: None, busybox: MadeImage, tmp_path: Path) -> Iterator[Home]:
    """A home on a host of its own with the image busybox; nothing may be left of its containers."""
    home = Home(tmp_path / "home")
    home.directory.mkdir()
    write_docker_archive(busybox, tmp_path / "busybox.tar", "busybox:latest")
    with host_of_its_own():
        done(home, "load", "-i", str(tmp_path / "busybox.tar"))
        try:
            yield home
        finally:
            for id in home.mille("ps", "-aq")[0].split():
                done(home, "rm", "-fv", id)
        with Netlink() as host:
            assert links.names(host) == ["lo"]
        mounts = Path("/proc/self/mounts").read_text()
        assert str(tmp_path) not in mounts


def done(home: Home, *words: str) -> str:
    """What a command prints that does its work."""
    out, err, code = home.mille(*words)
    assert code == 0, err
    return out


def fetched(port: int, path: str) -> str:
    """What a server on the loopback address answers, once it listens."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
                connection.request("GET", path)
                return connection.getresponse().read().decode()
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def test_a_published_port_reaches_a_container_as_long_as_it_runs(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    done(home, "run", "-d", "--name", "web", "-p", f"127.0.0.1:{port}:80", "busybox", *SERVE)
    assert "127.0.0.1\tlocalhost" in fetched(port, "/hosts")
    settings = json.loads(done(home, "inspect", "-f", "{{json .NetworkSettings}}", "web"))
    assert settings["Ports"] == {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]}
    assert settings["Networks"]["bridge"]["IPAddress"] == settings["IPAddress"]
    done(home, "stop", "-t", "0", "web")
    with pytest.raises(ConnectionRefusedError):
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as connection:
            connection.request("GET", "/")


@pytest.mark.parametrize("ending", [("stop", "-t", "0"), ("kill",), ("wait",)])
def test_who_ends_a_container_or_waits_for_its_end_finds_its_network_free(
    home: Home, ending: tuple[str, ...]
) -> None:
    done(home, "network", "create", "own")
    seconds = "0.2" if ending == ("wait",) else "100"
    done(home, "run", "-d", "--name", "web", "--network", "own", "-p", "80", "busybox", "sleep", seconds)
    done(home, *ending, "web")
    assert done(home, "port", "web") == ""
    assert done(home, "network", "inspect", "-f", "{{len .Containers}}", "own") == "0\n"
    done(home, "network", "rm", "own")
    done(home, "rm", "web")
    done(home, "run", "-d", "--rm", "--name", "web", "busybox", "sleep", "100")
    done(home, "stop", "-t", "0", "web")
    assert done(home, "ps", "-aq") == ""


def test_containers_find_each_other_by_name(home: Home) -> None:
    done(home, "network", "create", "ours")
    done(
        home, "run", "-d", "--name", "web", "--network", "ours", "--network-alias", "site", "busybox", *SERVE
    )
    fetch = "until wget -qO- http://{}/hostname; do sleep 0.05; done"
    for name in ("web", "site"):
        told = done(home, "run", "--rm", "--network", "ours", "busybox", "sh", "-c", fetch.format(name))
        assert told.strip() == done(home, "exec", "web", "hostname").strip()
    known = json.loads(done(home, "network", "inspect", "-f", "{{json .Containers}}", "ours"))
    assert [one["Name"] for one in known.values()] == ["web"]
    done(home, "rename", "web", "page")
    told = done(home, "run", "--rm", "--network", "ours", "busybox", "sh", "-c", fetch.format("page"))
    assert told.strip() == done(home, "exec", "page", "hostname").strip()
    assert "web" not in done(home, "exec", "page", "cat", "/etc/hosts")
    known = json.loads(done(home, "network", "inspect", "-f", "{{json .Containers}}", "ours"))
    assert [one["Name"] for one in known.values()] == ["page"]
    done(home, "rename", "page", "web")
    done(home, "network", "connect", "bridge", "web")
    assert "eth1" in done(home, "exec", "web", "ls", "/sys/class/net")
    done(home, "network", "disconnect", "ours", "web")
    assert "eth0" not in done(home, "exec", "web", "ls", "/sys/class/net")
    done(home, "restart", "-t", "0", "web")
    assert list(json.loads(done(home, "inspect", "-f", "{{json .NetworkSettings.Networks}}", "web"))) == [
        "bridge"
    ]


HOST = "container cannot be disconnected from host network or connected to host network"
NONE = "container cannot be connected to multiple networks with one of the networks in private (none) mode"
SHARED = (
    "container sharing network namespace with another container or host cannot be connected to any other"
    " network"
)


def test_which_networks_go_together(home: Home) -> None:
    """In the words of Docker 20.10."""
    for name, mode in (("plain", "bridge"), ("its", "host"), ("no", "none"), ("with", "container:plain")):
        done(home, "run", "-d", "--name", name, "--network", mode, "busybox", "sleep", "1000")
    done(home, "create", "--name", "still", "busybox", "true")
    for network, name, words in (
        ("none", "plain", NONE), ("host", "plain", HOST), ("none", "still", NONE), ("host", "still", HOST),
        ("bridge", "its", SHARED), ("none", "its", SHARED), ("bridge", "no", NONE), ("host", "no", HOST),
        ("bridge", "with", SHARED), ("host", "its", "endpoint with name its already exists in network host"),
        ("none", "no", "endpoint with name no already exists in network none"),
    ):  # fmt: skip
        assert home.mille("network", "connect", network, name) == ("", f"Error: {words}\n", 1)
    assert home.mille("network", "disconnect", "host", "its") == ("", f"Error: {HOST}\n", 1)
    _, err, code = home.mille("network", "disconnect", "none", "plain")
    assert (err.endswith(" is not connected to network none\n"), code) == (True, 1)
    done(home, "start", "-a", "still")


def test_connections_are_told_when_they_come_and_go(home: Home) -> None:
    def told() -> list[str]:
        """What has been told of the container's networks."""
        every = [one for one in Reader(str(home.store / "journal")).fresh() if one.kind == "network"]
        facts = [(one.action, one.attributes["name"], one.attributes["type"]) for one in every]
        assert all("container" in one.attributes for one in every if one.action != "create")
        return [" ".join(one).removesuffix(" bridge") for one in facts if one[0] != "create"]

    for name in ("one", "two"):
        done(home, "network", "create", name)
    words = ("--name", "web", "--network", "none", "--restart", "on-failure", "busybox")
    done(home, "run", "-d", *words, "sh", "-c", "[ -e /go ] || { touch /go; sleep 100; exit 3; }; sleep 100")
    seen = ["connect none null"]
    assert told() == seen
    for verb, network in (("disconnect", "none"), ("connect", "one"), ("connect", "two")):
        done(home, "network", verb, network, "web")
    done(home, "network", "disconnect", "one", "web")
    seen += ["disconnect none null", "connect one", "connect two", "disconnect one"]
    assert told() == seen
    assert home.mille("network", "connect", "--ip", "198.51.100.1", "one", "web")[2] == 1
    done(home, "exec", "web", "sh", "-c", "kill $(pidof sleep)")
    deadline = time.monotonic() + PATIENCE
    while len(told()) < 7:  # its policy has started it again
        assert time.monotonic() < deadline
        time.sleep(0.05)
    done(home, "stop", "-t", "0", "web")
    seen += ["disconnect two", "connect two", "disconnect two"]
    assert told() == seen
    done(home, "network", "connect", "one", "web")
    done(home, "network", "disconnect", "two", "web")
    assert told() == [*seen, "disconnect two"]


def test_whoever_does_not_run_leaves_networks_that_are_gone(home: Home) -> None:
    done(home, "network", "create", "ours")
    id = done(home, "create", "--name", "still", "--network", "ours", "busybox", "true").strip()
    done(home, "network", "rm", "ours")
    for network in ("nosuch", "none"):
        said = f"Error: container {id} is not connected to the network {network}\n"
        assert home.mille("network", "disconnect", network, "still") == ("", said, 1)
    done(home, "network", "disconnect", "ours", "still")
    assert done(home, "inspect", "-f", "{{.NetworkSettings.Networks}}", "still") == "map[]\n"
    done(home, "run", "-d", "--name", "runs", "--network", "none", "busybox", "sleep", "100")
    refused = home.mille("network", "disconnect", "nosuch", "runs")
    assert refused == ("", "Error: network nosuch not found\n", 1)
    assert "connected to the network nosuch" in home.mille("network", "disconnect", "-f", "nosuch", "runs")[1]


@pytest.mark.parametrize("runs", [True, False])
def test_who_has_no_network_can_leave_that_and_get_one(home: Home, runs: bool) -> None:
    create = ("run", "-d") if runs else ("create",)
    done(home, *create, "--name", "web", "--network", "none", "-p", "127.0.0.1:8123:80", "busybox", *SERVE)
    networks = ("inspect", "-f", "{{json .NetworkSettings.Networks}}", "web")
    assert list(json.loads(done(home, *networks))) == ["none"]
    done(home, "network", "disconnect", "none", "web")
    assert json.loads(done(home, *networks)) == {}
    if not runs:
        done(home, "start", "web")
        assert done(home, "exec", "web", "ls", "/sys/class/net") == "lo\n"
    done(home, "network", "connect", "bridge", "web")
    assert fetched(8123, "/hostname") == done(home, "exec", "web", "cat", "/etc/hostname")
    done(home, "restart", "-t", "0", "web")
    assert list(json.loads(done(home, *networks))) == ["bridge"]
    assert fetched(8123, "/hostname") == done(home, "exec", "web", "cat", "/etc/hostname")


@pytest.mark.parametrize("runs", [True, False])
@pytest.mark.parametrize("mode", ["none", "ours", "bridge"])
def test_who_is_on_no_network_any_more_can_have_none_again(home: Home, mode: str, runs: bool) -> None:
    done(home, "network", "create", "ours")
    create = ("run", "-d") if runs else ("create",)
    done(home, *create, "--name", "web", "--network", mode, "busybox", "sleep", "1000")
    networks = ("inspect", "-f", "{{json .NetworkSettings.Networks}}", "web")
    for _ in range(2):
        done(home, "network", "disconnect", mode, "web")
        done(home, "network", "connect", "none", "web")
        assert list(json.loads(done(home, *networks))) == ["none"]
        for network, words in (
            ("bridge", NONE), ("none", "endpoint with name web already exists in network none")
        ):  # fmt: skip
            assert home.mille("network", "connect", network, "web") == ("", f"Error: {words}\n", 1)
        done(home, "restart", "-t", "0", "web") if runs else done(home, "start", "web")
        assert list(json.loads(done(home, *networks))) == ["none"]
        assert done(home, "exec", "web", "ls", "/sys/class/net") == "lo\n"
        done(home, "network", "disconnect", "none", "web")
        assert json.loads(done(home, *networks)) == {}
        done(home, "network", "connect", mode, "web")
        assert list(json.loads(done(home, *networks))) == [mode]
        if mode != "none":
            assert home.mille("network", "connect", "none", "web") == ("", f"Error: {NONE}\n", 1)
        if not runs:
            done(home, "stop", "-t", "0", "web")


def test_a_volume_is_filled_once_and_outlives_its_containers(home: Home) -> None:
    image = home.directory / "image"
    (image / "data").mkdir(parents=True)
    (image / "data" / "seed").write_text("from the image\n")
    (image / "data").chmod(0o751)
    write = "cat /data/seed; stat -c %a /data; echo later > /data/seed"
    done(home, "create", "--name", "box", "busybox")
    done(home, "cp", f"{image}/data", "box:/data")
    done(home, "commit", "box", "seeded")
    done(home, "rm", "box")
    mount = ("-v", "seeds:/data")
    assert done(home, "run", "--rm", *mount, "seeded", "sh", "-c", write) == "from the image\n751\n"
    assert done(home, "run", "--rm", *mount, "seeded", "cat", "/data/seed") == "later\n"
    done(home, "volume", "rm", "seeds")
    done(home, "run", "--rm", "-v", "kept:/etc", "busybox", "touch", "/etc/mine")
    listed = done(home, "run", "--rm", "-v", "kept:/data:ro", "busybox", "ls", "/data").split()
    assert "mine" in listed
    out, err, code = home.mille("run", "--rm", "-v", "kept:/data:ro", "busybox", "touch", "/data/x")
    assert (out, code) == ("", 1)
    assert "Read-only file system" in err
    done(home, "create", "--name", "box", "-v", "kept:/data", "-v", "/anonymous", "busybox")
    out, err, code = home.mille("volume", "rm", "kept")
    assert err.startswith("Error: remove kept: volume is in use - [") and code == 1
    assert len(done(home, "volume", "ls", "-q").split()) == 2
    done(home, "rm", "-v", "box")
    assert done(home, "volume", "ls", "-q") == "kept\n"
    done(home, "volume", "rm", "kept")


def test_a_container_that_is_not_made_leaves_no_volume(home: Home) -> None:
    done(home, "create", "--name", "box", "busybox")
    assert home.mille("create", "--name", "box", "-v", "/anonymous", "busybox")[2] == 1
    assert done(home, "volume", "ls", "-q") == ""
