"""Usage: what a running container takes, as the kernel counts it, by the ID of its first process.

Source: Linux Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst, proc(5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from millefeuille.annotations import Final
from millefeuille.runtime import cgroup
from millefeuille.values import dataclass, field

_UNLIMITED: Final = 1 << 62  # version 1 says so with the largest number of pages
_MICROSECOND: Final = 1000  # nanoseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What went through one network interface."""

    received_bytes: int
    received_packets: int
    received_errors: int
    received_dropped: int
    sent_bytes: int
    sent_packets: int
    sent_errors: int
    sent_dropped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Times in nanoseconds, sizes in bytes; a limit of 0 is none.

    `memory_cache` is the part of `memory` that the kernel can drop at once, which Docker's CLI leaves out.
    """

    cpu: int = 0
    cpu_user: int = 0
    cpu_kernel: int = 0
    memory: int = 0
    memory_limit: int = 0
    memory_cache: int = 0
    processes: int = 0
    processes_limit: int = 0
    blocks_read: int = 0
    blocks_written: int = 0
    networks: Mapping[str, Traffic] = field(default_factory=dict)


def usage(pid: int, id: str) -> Usage | None:
    """What container `id` takes, whose first process is `pid`; None when there is no such process.

    What is not counted on this host is 0: all but the networks, where a container has no control group of
    its own, as those of ordinary users. The group that it is in counts others, too.
    """
    groups = _groups(pid, id)
    if groups is None:
        return None
    counted = _version2(groups[""]) if "memory" not in groups and "" in groups else _version1(groups)
    return Usage(**counted, networks=_networks(pid))


def _groups(pid: int, id: str) -> dict[str, str] | None:
    """The directory of each controller ("" for version 2) in which container `id` has a group."""
    lines = _lines(f"/proc/{pid}/cgroup")
    if not lines:
        return None
    found = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        path = cgroup.own(path, id)
        for controller in controllers.split(",") if path else ():
            found[controller] = f"{cgroup.ROOT}/{controller}{path}" if controller else f"{cgroup.ROOT}{path}"
    return found


def _version1(groups: Mapping[str, str]) -> dict[str, int]:
    memory, cpu, pids, blocks = (groups.get(name, "") for name in ("memory", "cpuacct", "pids", "blkio"))
    moved = _pairs(_fields(f"{blocks}/blkio.throttle.io_service_bytes_recursive"))
    return {
        "cpu": _number(f"{cpu}/cpuacct.usage"),
        "cpu_user": _number(f"{cpu}/cpuacct.usage_user"),
        "cpu_kernel": _number(f"{cpu}/cpuacct.usage_sys"),
        "memory": _number(f"{memory}/memory.usage_in_bytes"),
        "memory_limit": _number(f"{memory}/memory.limit_in_bytes"),
        "memory_cache": _table(f"{memory}/memory.stat").get("total_inactive_file", 0),
        "processes": _number(f"{pids}/pids.current"),
        "processes_limit": _number(f"{pids}/pids.max"),
        "blocks_read": moved.get("Read", 0),
        "blocks_written": moved.get("Write", 0),
    }


def _version2(group: str) -> dict[str, int]:
    cpu = _table(f"{group}/cpu.stat")
    moved = _pairs(
        word.split("=") for fields in _fields(f"{group}/io.stat") for word in fields[1:] if "=" in word
    )
    return {
        "cpu": cpu.get("usage_usec", 0) * _MICROSECOND,
        "cpu_user": cpu.get("user_usec", 0) * _MICROSECOND,
        "cpu_kernel": cpu.get("system_usec", 0) * _MICROSECOND,
        "memory": _number(f"{group}/memory.current"),
        "memory_limit": _number(f"{group}/memory.max"),
        "memory_cache": _table(f"{group}/memory.stat").get("inactive_file", 0),
        "processes": _number(f"{group}/pids.current"),
        "processes_limit": _number(f"{group}/pids.max"),
        "blocks_read": moved.get("rbytes", 0),
        "blocks_written": moved.get("wbytes", 0),
    }


def _networks(pid: int) -> dict[str, Traffic]:
    """The interfaces of the process's network namespace, but for the loopback."""
    found = {}
    for line in _lines(f"/proc/{pid}/net/dev")[2:]:
        name, _, rest = line.partition(":")
        counts = [int(word) for word in rest.split()]
        if name.strip() != "lo":
            found[name.strip()] = Traffic(
                received_bytes=counts[0],
                received_packets=counts[1],
                received_errors=counts[2],
                received_dropped=counts[3],
                sent_bytes=counts[8],
                sent_packets=counts[9],
                sent_errors=counts[10],
                sent_dropped=counts[11],
            )
    return found


def _lines(path: str) -> list[str]:
    """The lines of a file of the kernel's; none when it is not there."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except (OSError, ValueError):
        return []


def _fields(path: str) -> list[list[str]]:
    return [line.split() for line in _lines(path)]


def _number(path: str) -> int:
    """The number in a file, 0 for "max" and for none."""
    text = "".join(_lines(path)[:1]).strip()
    value = int(text) if text.isdecimal() else 0
    return value if value < _UNLIMITED else 0


def _table(path: str) -> dict[str, int]:
    return {fields[0]: int(fields[1]) for fields in _fields(path) if len(fields) == 2}


def _pairs(rows: Iterable[list[str]]) -> dict[str, int]:
    """The sums of the last number in each row, by the word before it."""
    sums: dict[str, int] = {}
    for row in rows:
        if len(row) >= 2 and row[-1].isdecimal():
            sums[row[-2]] = sums.get(row[-2], 0) + int(row[-1])
    return sums
