"""Cgroup: the control group of a container, and what it counts.

Source: Linux Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
"""

from __future__ import annotations

import contextlib
import errno
import os
import posixpath
import time

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.errors import Invalid

ROOT: Final = "/sys/fs/cgroup"
_PARENT: Final = "/millefeuille"
_ATTEMPTS: Final = 200  # a process that was killed takes its time
_PAUSE: Final = 0.01  # seconds
_LIMITS: Final = {  # a controller of version 2, and what it limits
    "memory": ("MemoryLimit", "SwapLimit"),
    "cpu": ("CpuCfsPeriod", "CpuCfsQuota", "CPUShares"),
    "cpuset": ("CPUSet",),
    "pids": ("PidsLimit",),
}
_LIMIT_FILES: Final = (  # of version 1; swap is counted only where the kernel was told to
    ("MemoryLimit", "memory/memory.limit_in_bytes"),
    ("SwapLimit", "memory/memory.memsw.limit_in_bytes"),
    ("CpuCfsPeriod", "cpu/cpu.cfs_period_us"),
    ("CpuCfsQuota", "cpu/cpu.cfs_quota_us"),
    ("CPUShares", "cpu/cpu.shares"),
    ("CPUSet", "cpuset/cpuset.cpus"),
    ("PidsLimit", "pids/cgroup.procs"),
)
_SIGKILL: Final = 9  # the module `signal` takes longer to load than this to write


class InvalidParent(Invalid):
    """A parent, or a name below it, that is none of a control group."""


def path(id: str, parent: str = "", *, store: str = "") -> str:
    """The control group of a container, below Docker's `CgroupParent` where one is given.

    `store` tells stores of a host apart, for a copy of one has containers with the same IDs. It is part of
    the name, and no level of its own: nobody would know when that could go. Raises InvalidParent.
    """
    if parent and (".." in parent.split("/") or "\0" in parent):
        raise InvalidParent(f"invalid cgroup parent: {parent}")
    if not id or "/" in id:
        raise InvalidParent(f"no control group is named {id!r}")
    name = f"{store}-{id}" if store else id
    return posixpath.join("/", parent.strip("/") or _PARENT.strip("/"), name)


def is_of(group: str, id: str) -> bool:
    """Whether a control group has the name of a container's own, see `path`."""
    name = group.rpartition("/")[2]
    return name == id or name.endswith(f"-{id}")


def own(group: str, id: str) -> str:
    """The container's own group that a process in `group` is in, which may be one below it; "" for none."""
    levels = group.split("/")
    found = [number for number, name in enumerate(levels) if is_of(name, id)]
    return "/".join(levels[: found[0] + 1]) if found else ""


def remove(group: str) -> None:
    """Kill what is in a control group, and remove it, in every hierarchy; that it is gone is no error.

    A runtime that was killed while it made a container leaves the group, and nobody who knows of it.
    """
    for directory in directories(group):
        for _ in range(_ATTEMPTS):
            if not _emptied(directory):
                break
            time.sleep(_PAUSE)


def directories(group: str) -> list[str]:
    """Where a control group is, or would be, in every hierarchy."""
    return [f"{top}{group}" for top in (ROOT, *(f"{ROOT}/{name}" for name in _hierarchies()))]


def _hierarchies() -> list[str]:
    """The directories of version 1."""
    try:
        with os.scandir(ROOT) as entries:
            return [entry.name for entry in entries if os.path.exists(f"{entry.path}/cgroup.procs")]
    except OSError:
        return []


def _emptied(directory: str) -> bool:
    """Kill, and try to remove; whether it is to be tried again."""
    try:
        with open(f"{directory}/cgroup.procs", encoding="ascii") as file:
            for line in file:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(line), _SIGKILL)
        files.remove_directory(directory)
    except FileNotFoundError:
        return False
    except OSError as error:
        return error.errno == errno.EBUSY
    return False


def limits() -> frozenset[str]:
    """What a container can be held to on this host, in the words of Docker's `info`: MemoryLimit, SwapLimit,
    CpuCfsPeriod, CpuCfsQuota, CPUShares, CPUSet, PidsLimit.
    """
    try:
        with open(f"{ROOT}/cgroup.controllers", encoding="ascii") as file:
            return frozenset(name for word in file.read().split() for name in _LIMITS.get(word, ()))
    except FileNotFoundError:
        return frozenset(name for name, file in _LIMIT_FILES if os.path.exists(f"{ROOT}/{file}"))


def oom_counters(group: str) -> list[str]:
    """The files that may count, in a line "oom_kill N", processes of a group killed for want of memory."""
    return [f"{ROOT}{group}/memory.events", f"{ROOT}/memory{group}/memory.oom_control"]


def oom_killed(group: str) -> bool:
    """Whether the kernel has killed a process of a control group, as long as that is there."""
    for counter in oom_counters(group):
        try:
            with open(counter, encoding="ascii") as file:
                for line in file:
                    name, _, count = line.partition(" ")
                    if name == "oom_kill" and int(count):
                        return True
        except (OSError, ValueError):
            continue
    return False
