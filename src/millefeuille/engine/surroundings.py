"""The engine's surroundings: what kind of host this is, told by the kernel and the system's own files."""

from __future__ import annotations

import contextlib
import os

from millefeuille.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """`memory` is bytes; `cgroup` is the version of control groups that hold limits, "1" or "2"."""

    name: str
    kernel: str
    architecture: str
    operating_system: str
    os_version: str
    cpus: int
    memory: int
    cgroup: str


def surroundings() -> Surroundings:
    """This host."""
    machine = os.uname()
    release = _release("/etc/os-release") or _release("/usr/lib/os-release")
    unified = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
    return Surroundings(
        name=machine.nodename,
        kernel=machine.release,
        architecture=machine.machine,
        operating_system=release.get("PRETTY_NAME", "Linux"),
        os_version=release.get("VERSION_ID", ""),
        cpus=len(os.sched_getaffinity(0)),
        memory=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        cgroup="2" if unified else "1",
    )


def file_system(path: str) -> str:
    """What kind of file system holds `path`, in Docker's words; "" when nobody can say."""
    # Python's statvfs leaves the type out; /proc tells it by the device instead.
    with contextlib.suppress(OSError):
        device = os.stat(path).st_dev
        with open("/proc/self/mountinfo") as mounts:
            for line in mounts:
                fields = line.split()
                if fields[2] == f"{os.major(device)}:{os.minor(device)}":
                    kind = fields[fields.index("-") + 1]
                    return "extfs" if kind in ("ext2", "ext3", "ext4") else kind
    return ""


def _release(path: str) -> dict[str, str]:
    with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
        pairs = (line.strip().partition("=") for line in file if "=" in line and not line.startswith("#"))
        return {name: value.strip("\"'") for name, _, value in pairs}
    return {}
