"""Host files: what a container finds in /etc/hosts, /etc/resolv.conf and /etc/hostname.

Containers on one user-defined network know each other by /etc/hosts: each line that comes and goes with
another container ends in a mark, and what the container itself wrote into the file stays. So there is no
resolver that would have to run, and none that could be missing.

Source: moby v28.2.2, libnetwork/etchosts and libnetwork/internal/resolvconf.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from millefeuille import files
from millefeuille.annotations import Any, Final
from millefeuille.errors import Invalid
from millefeuille.later import ipaddress
from millefeuille.values import dataclass

LOCAL: Final = (
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::\tip6-localnet\n"
    "ff00::\tip6-mcastprefix\n"
    "ff02::1\tip6-allnodes\n"
    "ff02::2\tip6-allrouters\n"
)
_MARK: Final = "# mille"
_HOST_RESOLVER: Final = "/etc/resolv.conf"
_SYSTEMD_RESOLVER: Final = "/run/systemd/resolve/resolv.conf"
_FALLBACK: Final = ("8.8.8.8", "8.8.4.4")  # Docker's, for a host that has only resolvers of its own
_MAXIMUM: Final = 1 << 20
_HOST_GATEWAY: Final = "host-gateway"


class BadExtraHost(Invalid):
    """A value of --add-host has no address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A line of /etc/hosts: an address and what it is called."""

    ip: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.ip}\t{' '.join(self.names)}"


def hosts(own: Iterable[Name], extra: Iterable[str] = (), *, gateway: str = "") -> str:
    """/etc/hosts of a container with these names; `extra` are Docker's ExtraHosts.

    `gateway` is what host-gateway stands for. Raises BadExtraHost.
    """
    return LOCAL + "".join(f"{name}\n" for name in (*extra_names(extra, gateway), *own))


def extra_names(extra: Iterable[str], gateway: str) -> Iterator[Name]:
    """The lines of Docker's ExtraHosts, `name:address`. Raises BadExtraHost."""
    for text in extra:
        name, sign, ip = text.partition(":")
        ip = ip.strip("[]")
        if ip == _HOST_GATEWAY:
            ip = gateway
            if not ip:
                raise BadExtraHost("unable to derive the IP value for host-gateway")
        if not sign or not name or not _is_address(ip):
            raise BadExtraHost(f'invalid IP address in add-host: "{ip}"')
        yield Name(ip=ip, names=(name,))


def write(path: str, text: str) -> None:
    """Write a container's file, in place: it may be mounted. Raises OSError."""
    descriptor = files.create(path, 0o644, exclusive=False)
    try:
        data = text.encode(errors="surrogateescape")
        with files.about(path):
            files.write(descriptor, data)
            files.truncate(descriptor, len(data))
        # Whatever the umask: users inside must be able to read it.
        files.change_mode(descriptor, 0o644)
    finally:
        os.close(descriptor)


def with_peers(text: str, peers: Iterable[Name]) -> str:
    """/etc/hosts with the lines of these other containers in place of those of before."""
    kept = [line for line in text.splitlines() if not line.endswith(_MARK)]
    return "".join(f"{line}\n" for line in (*kept, *(f"{peer}\t{_MARK}" for peer in peers)))


def update_peers(path: str, peers: Iterable[Name]) -> None:
    """Bring the other containers in a container's /etc/hosts up to date; a file that is gone is fine.

    Raises OSError.
    """
    known = tuple(peers)
    _edit(path, lambda text: with_peers(text, known))


def change(path: str, *, add: Name | None = None, remove: str = "") -> None:
    """Add the container's own name at one more address, or remove the lines of an address. Raises OSError."""

    def changed(text: str) -> str:
        lines = [line for line in text.splitlines() if not remove or line.split("\t")[0] != remove]
        own = [line for line in lines if not line.endswith(_MARK)]
        others = [line for line in lines if line.endswith(_MARK)]
        return "".join(f"{line}\n" for line in (*own, *((str(add),) if add else ()), *others))

    _edit(path, changed)


def _edit(path: str, edit: Callable[[str], str]) -> None:
    """Change a file in place: it may be mounted, so no other may take its name."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    try:
        before = os.pread(descriptor, _MAXIMUM, 0)
        after = edit(before.decode(errors="surrogateescape")).encode(errors="surrogateescape")
        if after != before:
            with files.about(path):
                files.write(descriptor, after)
                files.truncate(descriptor, len(after))
    finally:
        os.close(descriptor)


def resolver(host_config: Mapping[str, Any], *, host_network: bool = False, local: str = "") -> str:
    """/etc/resolv.conf of a container with Docker's Dns, DnsSearch and DnsOptions.

    `local` is where it reaches a resolver that listens on the host's loopback interface alone, if it can.
    """
    servers, search, options = (
        [str(item) for item in host_config.get(key) or ()] for key in ("Dns", "DnsSearch", "DnsOptions")
    )
    source = _read(_HOST_RESOLVER)
    if host_network and not (servers or search or options):
        return source
    found = _settings(source)
    if not host_network and _only_local(found["nameserver"]):
        found = _settings(_read(_SYSTEMD_RESOLVER)) if os.path.exists(_SYSTEMD_RESOLVER) else found
    if not servers:
        servers = found["nameserver"]
        if not host_network:
            reached = [server for server in servers if not _is_local(server)]
            servers = reached or ([local] if local and servers else list(_FALLBACK))
    # One dot asks for no search list at all.
    search = [] if search == ["."] else search or found["search"]
    lines = [f"nameserver {server}" for server in servers]
    lines += [f"search {' '.join(search)}"] if search else []
    lines += [f"options {' '.join(options or found['options'])}"] if options or found["options"] else []
    return "".join(f"{line}\n" for line in lines)


def host_names() -> str:
    """The host's own /etc/hosts, for containers in its network."""
    return _read("/etc/hosts")


def _settings(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"nameserver": [], "search": [], "options": []}
    for line in text.splitlines():
        word, *values = line.split("#")[0].split(";")[0].split() or [""]
        if word == "nameserver" and values:
            found["nameserver"].append(values[0])
        elif word in ("search", "domain"):
            found["search"] = values
        elif word == "options":
            found["options"] += values
    return found


def _only_local(servers: Sequence[str]) -> bool:
    return all(_is_local(server) for server in servers)


def _is_local(server: str) -> bool:
    address = server.partition("%")[0]
    if ":" not in address:  # most are of version 4, and need no more
        return address.startswith("127.") and _is_address(address)
    return _is_address(address) and ipaddress.ip_address(address).is_loopback


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(_MAXIMUM).decode(errors="surrogateescape")
    except FileNotFoundError:
        return ""
