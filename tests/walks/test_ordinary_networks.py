"""Containers of an ordinary user with a network of their own: `mille` from end to end, and what is left."""

from __future__ import annotations

import http.client
import http.server
import ipaddress
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from tests.hosts import host_of_its_own
from tests.networks.conftest import within
from tests.runtime.test_userns import Ordinary, ordinary
from tests.walks.ordinarycommands import PATIENCE, OrdinaryCommands, processes

from millefeuille.networks import links
from millefeuille.networks.netlink import Netlink
from millefeuille.testing.images import MadeImage

__all__ = ["ordinary"]

pytestmark = pytest.mark.walk
HOST = "192.0.2.2"
SERVE = ("httpd", "-f", "-p", "80", "-h", "/etc")
# A device that everybody may open, as it is where udev runs; and no pasta, if so asked.
DEVICE = """\
set -e
mkdir -p "$1"; mount -t tmpfs none "$1"; mknod -m 666 "$1/tun" c 10 200; mount --bind "$1/tun" /dev/net/tun
[ -z "$WITHOUT" ] || mount --bind /dev/null "$WITHOUT"
shift; exec "$@"
"""


class Commands(OrdinaryCommands):
    """`mille` as an ordinary user runs it, with a device for pasta."""

    def mille(self, *words: str, more: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command."""
        environment = {**self.environment(), "WITHOUT": "", **(more or {})}
        user = ["--reuid", str(self.who.number), "--regid", str(self.who.group), "--clear-groups"]
        return subprocess.run(
            ["unshare", "-m", "--propagation", "slave", "sh", "-c", DEVICE, "sh", f"{self.directory}/device",
             "setpriv", *user, self.python, "-m", "millefeuille", *words],
            cwd="/", env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False,
            timeout=60,
        )  # fmt: skip

    def carriers(self) -> list[int]:
        """The processes that carry, or are about to carry, the traffic of this user's containers."""
        words = {pid: command_line(pid) for pid in processes()}
        return [pid for pid in words if b"--netns" in words[pid] and bytes(self.store) in words[pid]]

    def left(self) -> list[str]:
        """What there is of a network beside an idle store."""
        files = [str(path) for part in ("netns", "networks") for path in self.store.glob(f"run/*/{part}/*")]
        return [*files, *(command_line(pid).decode() for pid in self.carriers())]

    def carrier(self) -> int:
        """The process that the only lease names."""
        [lease] = self.store.glob("run/*/networks/*.json")
        return int(json.loads(lease.read_text())["Lease"]["carrier"]["pid"])


def command_line(pid: int) -> bytes:
    """The words of a process, with spaces between; nothing of one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
    except (FileNotFoundError, ProcessLookupError):
        return b""


@pytest.fixture
def commands(ordinary: Ordinary, busybox: MadeImage) -> Iterator[Commands]:
    """On a host of its own, with a way out that leads nowhere, and a busybox called base:1."""
    if shutil.which("pasta") is None:
        pytest.skip("needs pasta (package passt)")
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("this kernel has no tap devices")
    made = Commands(ordinary)
    with host_of_its_own():
        with Netlink() as host:
            links.add_bridge(host, "out0", "02:00:00:00:00:01", 1500)
            number = links.set_up(host, "out0")
            links.add_address(host, number, ipaddress.IPv4Interface(f"{HOST}/24"))
            links.set_default_route(host, number, ipaddress.ip_address("192.0.2.1"))
        made.load(busybox)
        try:
            yield made
        finally:
            made.leave()
            assert made.left() == []
            made.until_idle()


def answered(host: str, port: int, path: str = "/hostname") -> str:
    """What a server answers, once it listens."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with closing(http.client.HTTPConnection(host, port, timeout=PATIENCE)) as connection:
                connection.request("GET", path)
                return connection.getresponse().read().decode()
        except (ConnectionError, http.client.BadStatusLine):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


@contextmanager
def serving(address: str) -> Iterator[int]:
    """A server of the host's on this address; its port."""

    class Greeting(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello from outside")

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.HTTPServer((address, 0), Greeting)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def until_gone(pid: int) -> None:
    """Wait until a process is nobody's but its parent's."""
    deadline = time.monotonic() + PATIENCE
    while command_line(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_published_port_answers_as_long_as_the_container_is_there(commands: Commands) -> None:
    published = ("-p", "127.0.0.1:8081:80", "-p", "8080:80", "-p", "127.0.0.1:8081:81/udp", "-p", "82")
    id = commands.done("run", "-d", "--name", "web", *published, "base:1", *SERVE).strip()
    for host, port in (("127.0.0.1", 8080), ("127.0.0.1", 8081), (HOST, 8080)):
        assert answered(host, port) == f"{id[:12]}\n"
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection(HOST, 8081, timeout=PATIENCE).connect()
    ports = json.loads(commands.done("inspect", "-f", "{{json .NetworkSettings.Ports}}", "web"))
    free = ports["82/tcp"][0]["HostPort"]
    assert ports == {
        "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "127.0.0.1", "HostPort": "8081"}],
        "81/udp": [{"HostIp": "127.0.0.1", "HostPort": "8081"}],
        "82/tcp": [{"HostIp": "0.0.0.0", "HostPort": free}],
    }
    told = commands.done("port", "web").splitlines()
    assert told == [
        "80/tcp -> 0.0.0.0:8080", "80/tcp -> 127.0.0.1:8081", "81/udp -> 127.0.0.1:8081",
        f"82/tcp -> 0.0.0.0:{free}",
    ]  # fmt: skip
    assert "127.0.0.1:8081->80/tcp" in commands.done("ps", "--format", "{{.Ports}}")
    pid = commands.carrier()
    assert commands.carriers() == [pid]
    commands.done("rm", "-f", "web")
    assert commands.left() == []
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection("127.0.0.1", 8080, timeout=PATIENCE).connect()


def test_datagrams_reach_the_container(commands: Commands) -> None:
    commands.done("run", "-d", "--name", "one", "-p", "7081:8081/udp", "base:1", "sleep", "60")
    pid = commands.done("inspect", "-f", "{{.State.Pid}}", "one").strip()
    with (
        within(f"/proc/{pid}/ns/net", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as inner,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outer,
    ):
        inner.bind(("0.0.0.0", 8081))
        for one in (inner, outer):
            one.settimeout(PATIENCE)
        for host in (HOST, "127.0.0.1"):
            outer.sendto(b"there", (host, 7081))
            said, sender = inner.recvfrom(64)
            assert said == b"there"
            inner.sendto(b"back", sender)
            assert outer.recvfrom(64) == (b"back", (host, 7081))


def test_a_container_reaches_the_host_but_not_its_loopback(commands: Commands) -> None:
    with serving("0.0.0.0") as everywhere, serving("127.0.0.1") as alone:
        assert answered("127.0.0.1", alone) == "hello from outside"
        # Its input stays open: pasta of 2023_03_09 loses what comes after a half of a connection is closed.
        fetch = "{ printf 'GET / HTTP/1.0\\r\\n\\r\\n'; sleep 0.5; } | timeout 10 nc -w 2"
        asked = ("run", "--rm", "--add-host", "outside:host-gateway", "base:1", "sh", "-c")
        assert commands.done(*asked, f"{fetch} {HOST} {everywhere}").endswith("hello from outside")
        assert f"{HOST}\toutside\n" in commands.done(*asked, "cat /etc/hosts")
        gateway = commands.done(*asked, "ip route | sed -n 's/default via \\([^ ]*\\).*/\\1/p'").strip()
        assert ipaddress.ip_address(gateway)
        for place in ("127.0.0.1", gateway, HOST):
            closed = commands.mille(*asked, f"{fetch} {place} {alone}")
            assert (closed.returncode, closed.stdout) == (1, ""), place


def test_addresses_are_those_that_inspect_tells(commands: Commands) -> None:
    commands.done("run", "-d", "--name", "one", "base:1", "sleep", "60")
    settings = json.loads(commands.done("inspect", "-f", "{{json .NetworkSettings}}", "one"))
    shown = commands.done("exec", "one", "ip", "addr", "show", "eth0")
    assert f"inet {settings['IPAddress']}/{settings['IPPrefixLen']} " in shown
    assert f"link/ether {settings['MacAddress']} " in shown
    assert f"default via {settings['Gateway']} " in commands.done("exec", "one", "ip", "route")
    assert f"{settings['IPAddress']}\t" in commands.done("exec", "one", "cat", "/etc/hosts")


def test_a_container_joins_the_network_of_another(commands: Commands) -> None:
    commands.done("run", "-d", "--name", "web", "base:1", *SERVE)
    fetch = ("wget", "-q", "-O", "-", "http://127.0.0.1/hostname")
    name = commands.done("run", "--rm", "--network", "container:web", "base:1", *fetch)
    assert name == commands.done("exec", "web", "hostname")


def test_a_port_that_is_taken_is_said_in_dockers_words(commands: Commands) -> None:
    with socket.create_server(("127.0.0.1", 8080)):
        refused = commands.mille("run", "--rm", "-p", "127.0.0.1:8080:80", "base:1", "true")
    assert refused.returncode == 125
    assert "driver failed programming external connectivity on endpoint" in refused.stderr
    assert ":80/tcp: address already in use" in refused.stderr
    assert commands.left() == []
    commands.done("run", "-d", "-p", "8080:80", "base:1", "sleep", "60")
    refused = commands.mille("run", "--rm", "-p", "8080:80", "base:1", "true")
    assert refused.returncode == 125
    assert "Bind for 0.0.0.0:8080 failed: port is already allocated" in refused.stderr
    assert len(commands.left()) == 3  # the first one's namespace, lease and process
    refused = commands.mille("run", "--rm", "-p", "80:80", "base:1", "true")
    assert refused.returncode == 126  # Docker's, for whatever ends so
    assert "0.0.0.0:80/tcp: permission denied" in refused.stderr
    assert "net.ipv4.ip_unprivileged_port_start" in refused.stderr


def test_without_pasta_the_error_says_what_to_do(commands: Commands) -> None:
    without = {"WITHOUT": str(shutil.which("pasta"))}
    refused = commands.mille("run", "--rm", "base:1", "true", more=without)
    assert refused.returncode == 125
    assert "an ordinary user's container has a network of its own through pasta" in refused.stderr
    assert "Install passt, or use --network host." in refused.stderr
    assert commands.left() == []
    for network in ("none", "host"):
        done = commands.mille("run", "--rm", "--network", network, "base:1", "true", more=without)
        assert done.returncode == 0, done.stderr


def test_networks_of_ones_own_need_root(commands: Commands) -> None:
    commands.done("run", "-d", "--name", "one", "base:1", "sleep", "60")
    for words in (("create", "ours"), ("disconnect", "bridge", "one")):
        refused = commands.mille("network", *words)
        assert refused.returncode == 1
        assert refused.stderr.startswith("Error: networks of one's own need root")
    assert "ours" not in commands.done("network", "ls", "-q", "--no-trunc", "--format", "{{.Name}}")


def test_a_container_lives_on_when_pasta_is_killed(commands: Commands) -> None:
    commands.done("run", "-d", "--name", "web", "-p", "8080:80", "base:1", *SERVE)
    answered("127.0.0.1", 8080)
    pid = commands.carrier()
    os.kill(pid, signal.SIGKILL)
    until_gone(pid)
    assert commands.done("exec", "web", "wget", "-q", "-O", "-", "http://127.0.0.1/hostname")
    commands.done("restart", "-t", "0", "web")
    assert answered("127.0.0.1", 8080)
    os.kill(commands.carrier(), signal.SIGKILL)
    commands.done("rm", "-f", "web")
    assert commands.left() == []


def test_it_ends_with_the_container(commands: Commands) -> None:
    commands.done("run", "-d", "--name", "one", "base:1", "sleep", "60")
    pid = commands.carrier()
    commands.done("stop", "-t", "0", "one")
    until_gone(pid)
    deadline = time.monotonic() + PATIENCE
    while commands.left():  # the monitor's last command gives it back, after stop is over
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_ends_by_itself_with_the_file_of_the_namespace(commands: Commands) -> None:
    commands.done("run", "-d", "--name", "one", "base:1", "sleep", "60")
    pid = commands.carrier()
    [namespace] = commands.store.glob("run/*/netns/*")
    namespace.unlink()
    until_gone(pid)


def test_a_killed_monitor_leaves_nothing_after_one_command(commands: Commands) -> None:
    commands.done("run", "-d", "--name", "one", "base:1", "sleep", "60")
    pid = commands.carrier()
    [monitor] = [
        pid for pid in processes()
        if b"containers.monitor.main" in (words := command_line(pid)) and bytes(commands.store) in words
    ]  # fmt: skip
    os.kill(monitor, signal.SIGKILL)
    until_gone(monitor)
    commands.done("run", "--rm", "--network", "none", "base:1", "true")
    assert commands.left() == []
    assert not command_line(pid)


def test_a_command_killed_at_any_act_leaves_nothing_after_one_more(
    commands: Commands, all_cases: bool
) -> None:
    trace = commands.directory / "trace"
    trace.write_text("")
    trace.chmod(0o666)
    asked = ("run", "-d", "--name", "one", "-p", "8080:80", "base:1", "sleep", "60")
    commands.done(*asked)
    commands.done("rm", "-f", "one")
    assert commands.mille(*asked, more={"MILLE_FAULT_TRACE": str(trace)}).returncode == 0
    told = [line.split("\t") for line in trace.read_text().splitlines()]
    sites = [site for _, site, *_ in told]
    first = next(place for place, site in enumerate(sites, 1) if ".networks." in site)
    carried = next(place for place, site in enumerate(sites, 1) if ".networks.pasta" in site)
    last = max(place for place, (act, *_) in enumerate(told, 1) if act == "carry")
    acts = sorted({*range(first, len(sites) + 1, 1 if all_cases else 7), carried, carried + 1, last})
    assert last > carried
    for act in acts:
        commands.done("rm", "-f", "one")
        killed = commands.mille(*asked, more={"MILLE_FAULT": f"*:{act}:kill"})
        assert killed.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), killed
        commands.done("container", "prune", "-f")
        if not commands.done("ps", "-q"):
            assert commands.left() == [], act
    commands.mille("rm", "-f", "one")


def test_a_container_that_left_its_network_starts_without_one(commands: Commands) -> None:
    commands.done("create", "--name", "web", "base:1", "ls", "/sys/class/net")
    commands.done("network", "disconnect", "bridge", "web")
    assert commands.done("start", "-a", "web") == "lo\n"
    assert commands.carriers() == []
