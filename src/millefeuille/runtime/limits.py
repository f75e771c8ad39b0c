"""Limits: the resources that Docker's `HostConfig` allows a container, checked, and in the OCI spec's words.

Source: moby v28, daemon/daemon_unix.go `verifyPlatformContainerResources`, `getMemoryResources`,
`getCPUResources`; OCI runtime-spec, config-linux.md.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.errors import Invalid, NotFound, Unsupported
from millefeuille.later import pattern
from millefeuille.runtime import ulimits

_LEAST_MEMORY: Final = 6 << 20
_SECOND: Final = 1_000_000_000
_PERIOD: Final = 100_000  # microseconds, of a share of CPUs given as a number of them
_LEAST_SHARES: Final = 2
_MOST_SHARES: Final = 262_144
_RANGE: Final = pattern(r"(\d{1,6})(?:-(\d{1,6}))?")
_ONLINE_CPUS: Final = "/sys/devices/system/cpu/online"
_ONLINE_NODES: Final = "/sys/devices/system/node/online"
_DEVICE_RATES: Final = {
    "BlkioDeviceReadBps": "throttleReadBpsDevice",
    "BlkioDeviceWriteBps": "throttleWriteBpsDevice",
    "BlkioDeviceReadIOps": "throttleReadIOPSDevice",
    "BlkioDeviceWriteIOps": "throttleWriteIOPSDevice",
}


class InvalidLimit(Invalid):
    """A limit that is out of range, or contradicts another one."""


class NoBlockDevice(NotFound):
    """The device that a limit is for is not there."""


class LimitsUnsupported(Unsupported):
    """A limit on a host where the runtime sets none."""


def check(host_config: Mapping[str, Any], *, update: bool = False) -> None:
    """Hold that the limits are possible ones on this host; of an `update`, that only these change.

    Raises InvalidLimit in Docker's words.
    """
    _check_memory(host_config, update)
    _check_cpu(host_config)
    _check_set(host_config.get("CpusetCpus") or "", "cpus", "CPUs", _ONLINE_CPUS)
    _check_set(host_config.get("CpusetMems") or "", "mems", "memory nodes", _ONLINE_NODES)
    weight = _number(host_config, "BlkioWeight")
    if weight and not 10 <= weight <= 1000:
        raise InvalidLimit("Range of blkio weight is from 10 to 1000")
    adjustment = _number(host_config, "OomScoreAdj")
    if not -1000 <= adjustment <= 1000:
        raise InvalidLimit(f"Invalid value {adjustment}, range for oom score adj is [-1000, 1000]")
    if _number(host_config, "ShmSize") < 0:
        raise InvalidLimit("SHM size can not be less than 0")
    ulimits.check(host_config)


def resources(host_config: Mapping[str, Any], *, settable: bool = True) -> dict[str, Any]:
    """The OCI spec's `resources`, but for devices; empty when nothing is limited.

    Raises InvalidLimit, NoBlockDevice; LimitsUnsupported for any limit, also on devices, and for a parent of
    the control group when none is `settable`.
    """
    parts = {
        "memory": _memory(host_config),
        "cpu": _cpu(host_config),
        "pids": _pids(host_config),
        "blockIO": _block(host_config),
    }
    asked = {name: part for name, part in parts.items() if part}
    if not settable:
        _refuse([*asked, *(["devices"] if _limits_devices(host_config) else ())], host_config)
    return asked


def _limits_devices(config: Mapping[str, Any]) -> bool:
    """Whether devices are to be used in part, or beyond those that are there; nothing bounds a privileged
    container.
    """
    modes = (device.get("CgroupPermissions") or "rwm" for device in config.get("Devices") or ())
    is_partial = any({*mode} != {*"rwm"} for mode in modes)
    return not config.get("Privileged") and (is_partial or bool(config.get("DeviceCgroupRules")))


def _refuse(asked: Sequence[str], config: Mapping[str, Any]) -> None:
    """Refuse what needs a control group. Raises LimitsUnsupported."""
    what = f"limits on {', '.join(sorted(asked))}" if asked else ""
    if parent := config.get("CgroupParent"):
        what = what or f"a control group below {parent}"
    if what:
        raise LimitsUnsupported(
            f"{what} cannot be set here", advice="The runtime works without control groups on this host."
        )


def _check_memory(config: Mapping[str, Any], update: bool) -> None:
    memory, swap, reservation = (
        _number(config, key) for key in ("Memory", "MemorySwap", "MemoryReservation")
    )
    if 0 < memory < _LEAST_MEMORY:
        raise InvalidLimit("Minimum memory limit allowed is 6MB")
    if memory > 0 and 0 < swap < memory:
        raise InvalidLimit("Minimum memoryswap limit should be larger than memory limit, see usage")
    if memory == 0 and swap > 0 and not update:
        raise InvalidLimit("You should always set the Memory limit when using Memoryswap limit, see usage")
    if 0 < reservation < _LEAST_MEMORY:
        raise InvalidLimit("Minimum memory reservation allowed is 6MB")
    if 0 < memory < reservation:
        raise InvalidLimit("Minimum memory limit can not be less than memory reservation limit, see usage")
    swappiness = config.get("MemorySwappiness")
    if swappiness is not None and not -1 <= swappiness <= 100:
        raise InvalidLimit(f"Invalid value: {swappiness}, valid memory swappiness range is 0-100")


def _check_cpu(config: Mapping[str, Any]) -> None:
    nano, period, quota = (_number(config, key) for key in ("NanoCpus", "CpuPeriod", "CpuQuota"))
    if nano > 0 and period > 0:
        raise InvalidLimit("Conflicting options: Nano CPUs and CPU Period cannot both be set")
    if nano > 0 and quota > 0:
        raise InvalidLimit("Conflicting options: Nano CPUs and CPU Quota cannot both be set")
    count = os.cpu_count() or 1
    # A hundredth is what the kernel's least quota comes to.
    if nano < 0 or nano > count * _SECOND or 0 < nano < _SECOND // 100:
        raise InvalidLimit(
            f"Range of CPUs is from 0.01 to {count}.00, as there are only {count} CPUs available"
        )
    if period and not 1000 <= period <= 1_000_000:
        raise InvalidLimit(
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"
        )
    shares = _number(config, "CpuShares")
    if shares < 0:
        raise InvalidLimit(f"invalid CPU shares ({shares}): value must be a positive integer")
    if 0 < quota < 1000:
        raise InvalidLimit("CPU cfs quota can not be less than 1ms (i.e. 1000)")


def _check_set(text: str, name: str, what: str, online: str) -> None:
    if not text:
        return
    wanted = _members(text)
    if wanted is None:
        raise InvalidLimit(f"Invalid value {text} for cpuset {name}")
    try:
        with open(online, encoding="ascii") as file:
            present = file.read().strip()
    except FileNotFoundError:
        present = "0"
    if not wanted <= (_members(present) or set()):
        raise InvalidLimit(f"Requested {what} are not available - requested {text}, available: {present}")


def _members(text: str) -> set[int] | None:
    """The numbers of a list like "0-2,5"; None when it is none."""
    found: set[int] = set()
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            return None
        first = int(match[1])
        last = int(match[2] or first)
        if last < first or last - first > 8192:
            return None
        found.update(range(first, last + 1))
    return found


def _memory(config: Mapping[str, Any]) -> dict[str, Any]:
    memory, swap, reservation = (
        _number(config, key) for key in ("Memory", "MemorySwap", "MemoryReservation")
    )
    part: dict[str, Any] = {}
    if memory > 0:
        part["limit"] = memory
        # Docker's default: as much swap again.
        part["swap"] = swap or 2 * memory
    elif swap < 0:
        part["swap"] = swap
    if reservation > 0:
        part["reservation"] = reservation
    swappiness = config.get("MemorySwappiness")
    if swappiness is not None and swappiness != -1:
        part["swappiness"] = swappiness
    if config.get("OomKillDisable"):
        part["disableOOMKiller"] = True
    return part


def _cpu(config: Mapping[str, Any]) -> dict[str, Any]:
    part: dict[str, Any] = {}
    nano, shares = _number(config, "NanoCpus"), _number(config, "CpuShares")
    if nano > 0:
        part |= {"period": _PERIOD, "quota": nano * _PERIOD // _SECOND}
    if shares:
        part["shares"] = min(max(shares, _LEAST_SHARES), _MOST_SHARES)
    for key, name in (
        ("CpuPeriod", "period"),
        ("CpuQuota", "quota"),
        ("CpuRealtimePeriod", "realtimePeriod"),
        ("CpuRealtimeRuntime", "realtimeRuntime"),
        ("CpusetCpus", "cpus"),
        ("CpusetMems", "mems"),
    ):
        if config.get(key):
            part[name] = config[key]
    return part


def _pids(config: Mapping[str, Any]) -> dict[str, Any]:
    limit = _number(config, "PidsLimit")
    # Docker's clients send 0 when there is none; less than that takes one away.
    return {"limit": max(limit, -1)} if limit else {}


def _block(config: Mapping[str, Any]) -> dict[str, Any]:
    part: dict[str, Any] = {}
    if weight := _number(config, "BlkioWeight"):
        part["weight"] = weight
    if weights := config.get("BlkioWeightDevice"):
        part["weightDevice"] = [{**_block_device(item), "weight": item["Weight"]} for item in weights]
    for key, name in _DEVICE_RATES.items():
        if rates := config.get(key):
            part[name] = [{**_block_device(item), "rate": item["Rate"]} for item in rates]
    return part


def _block_device(item: Mapping[str, Any]) -> dict[str, int]:
    try:
        number = os.stat(item["Path"]).st_rdev
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise NoBlockDevice(f"stat {item['Path']}: {reason}") from None
    return {"major": os.major(number), "minor": os.minor(number)}


def _number(config: Mapping[str, Any], key: str) -> int:
    value = config.get(key) or 0
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidLimit(f"{key}: {value!r} is no whole number")
    return value
