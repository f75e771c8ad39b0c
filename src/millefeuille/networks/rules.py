"""Rules: the packet filter's part in it, written anew from the leases each time.

One table per store holds everything, and is replaced as a whole in one transaction: so it is never half made,
and whatever a killed process left behind goes with the next change.

- published ports: packets to them go to the container instead, from other hosts, from this one, through its
  loopback addresses too, and from containers;
- packets that leave the host take its address;
- a network is reached from outside only through published ports, an internal one not at all, and none from
  another network.

Why not netavark: it works here too, but takes a process of 20 ms and a resolver that stays, and what it did
can only be undone by itself. Why not a forwarding process, as Docker has: the kernel does it for nothing.

Source: nft(8); moby v28.2.2, libnetwork/drivers/bridge.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterable, Iterator

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.errors import Failed, Unsupported
from millefeuille.later import subprocess
from millefeuille.networks import netlink
from millefeuille.networks.lease import Port
from millefeuille.networks.netlink import Netlink
from millefeuille.networks.network import Network
from millefeuille.values import dataclass

_PROGRAM: Final = "nft"
_GET_TABLE: Final = (10 << 8) | 1  # nfnetlink: the nftables subsystem, NFT_MSG_GETTABLE
_TABLE_NAME: Final = 1
_TIMEOUT: Final = 30.0  # seconds
_PATH: Final = "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin"


class FilterMissing(Unsupported):
    """This host has no packet filter that we can speak to."""


class FilterFailed(Failed):
    """The packet filter refused the rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A port of the host, and the address and port of the container behind it."""

    port: Port
    ip: str


def text(table: str, networks: Iterable[Network], published: Iterable[Published]) -> str:
    """The table that says this; without networks, no table."""
    bridges = [network for network in networks if network.subnet is not None]
    if not bridges:
        return ""
    return "\n".join([f"table ip {table} {{", *_chains(bridges, tuple(published)), "}", ""])


def _chains(networks: list[Network], published: tuple[Published, ...]) -> Iterator[str]:
    yield "chain ports {"
    yield from (_redirect(one) for one in published)
    yield "}"
    # The numbers stand for dstnat and srcnat: nft knows these names at some hooks only.
    yield "chain incoming { type nat hook prerouting priority -100; policy accept;"
    yield "jump ports\n}"
    yield "chain own { type nat hook output priority -100; policy accept;"
    yield "jump ports\n}"
    yield "chain leaving { type nat hook postrouting priority 100; policy accept;"
    for network in networks:
        name = network.interface
        # Otherwise the answer would go to the other side directly, which waits for one from the host.
        near = f"{{ 127.0.0.0/8, {network.subnet} }}"
        yield f'oifname "{name}" ct status dnat ip saddr {near} masquerade'
        if network.masquerades:
            yield f'ip saddr {network.subnet} oifname != "{name}" masquerade'
    yield "}"
    yield "chain loopback { type filter hook prerouting priority -300; policy accept;"
    # Bridges route loopback addresses, for published ports; containers must not reach the host's by it.
    yield from (f'iifname "{network.interface}" ip daddr 127.0.0.0/8 drop' for network in networks)
    yield "}"
    yield "chain between { type filter hook forward priority 0; policy accept;"
    for network in networks:
        name = network.interface
        if network.internal:
            yield f'iifname "{name}" oifname != "{name}" drop'
            yield f'oifname "{name}" iifname != "{name}" drop'
            continue
        uninvited = "ct state != { established, related } ct status & dnat == 0"
        yield f'oifname "{name}" iifname != "{name}" {uninvited} drop'
    yield "}"


def _redirect(one: Published) -> str:
    port = one.port
    where = "fib daddr type local" if port.host_ip == "0.0.0.0" else f"ip daddr {port.host_ip}"
    return f"{where} {port.protocol} dport {port.host_port} dnat to {one.ip}:{port.port}"


def apply(table: str, wanted: str, lock: int) -> None:
    """Have the kernel hold this `text` as the table, and nothing else. Raises FilterMissing, FilterFailed.

    Nothing is removed where there is nothing: whoever removes has to wait until no packet sees it. The lock
    is held until the other program has ended, even if this process is killed before.
    """
    transaction = f"delete table ip {table}\n{wanted}" if exists(table) else wanted
    if transaction:
        _transact(transaction, lock)


def _transact(transaction: str, lock: int) -> None:
    files.act("rules", _PROGRAM)
    try:
        done = subprocess.run(
            [_PROGRAM, "-f", "-"], input=transaction.encode(), capture_output=True, check=False,
            timeout=_TIMEOUT, env={"PATH": _PATH, "LC_ALL": "C"}, pass_fds=(lock,),
        )  # fmt: skip
    except FileNotFoundError as error:
        raise FilterMissing(
            "networks of containers need nft, which is not installed", advice="Install the package nftables."
        ) from error
    except subprocess.TimeoutExpired as error:
        raise FilterFailed(f"{_PROGRAM} did not answer within {_TIMEOUT:.0f} seconds") from error
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise FilterFailed(f"{_PROGRAM}: {lines[0]}")


def exists(table: str) -> bool:
    """Whether the kernel has the table: somebody may have flushed all rules."""
    body = struct.pack(">BBH", 2, 0, 0) + netlink.text(_TABLE_NAME, table)  # struct nfgenmsg: AF_INET
    try:
        with Netlink(netlink.NETFILTER) as link:
            return bool(link.ask(_GET_TABLE, 0, body))
    except OSError as error:
        if error.errno == errno.ENOENT:
            return False
        raise
