"""What a container may do and see when nobody says otherwise: Docker's defaults.

Source: moby v28, oci/defaults.go and oci/caps/defaults.go.
"""

from __future__ import annotations

from millefeuille.annotations import Any, Final

CAPABILITIES: Final = (
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FSETID",
    "CAP_FOWNER",
    "CAP_MKNOD",
    "CAP_NET_RAW",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETFCAP",
    "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT",
    "CAP_KILL",
    "CAP_AUDIT_WRITE",
)

MASKED_PATHS: Final = (
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
)

READ_ONLY_PATHS: Final = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")

_SHM_BYTES: Final = 64 << 20
_TERMINALS: Final = ("newinstance", "ptmxmode=0666", "mode=0620", "gid=5")


def mounts() -> list[dict[str, Any]]:
    """The file systems every container gets, fresh, over whatever the image has at these places."""
    nothing = ["nosuid", "noexec", "nodev"]
    return [
        _mount("/proc", "proc", "proc", nothing),
        _mount("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        _mount("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", *_TERMINALS]),
        _mount("/sys", "sysfs", "sysfs", [*nothing, "ro"]),
        _mount("/sys/fs/cgroup", "cgroup", "cgroup", ["ro", *nothing]),
        _mount("/dev/mqueue", "mqueue", "mqueue", nothing),
        _mount("/dev/shm", "tmpfs", "shm", [*nothing, "mode=1777", f"size={_SHM_BYTES}"]),
    ]


def devices() -> list[dict[str, Any]]:
    """The device cgroup: nothing but making nodes, and the devices of a fresh /dev."""
    allowed = [("c", 1, 5), ("c", 1, 3), ("c", 1, 9), ("c", 1, 8), ("c", 5, 0), ("c", 5, 1)]
    return [
        {"allow": False, "access": "rwm"},
        *({"allow": True, "type": t, "major": a, "minor": b, "access": "rwm"} for t, a, b in allowed),
        {"allow": True, "type": "c", "access": "m"},
        {"allow": True, "type": "b", "access": "m"},
        {"allow": True, "type": "c", "major": 136, "access": "rwm"},
        {"allow": True, "type": "c", "major": 5, "minor": 2, "access": "rwm"},
    ]


def capabilities(names: tuple[str, ...] = CAPABILITIES, *, root: bool) -> dict[str, list[str]]:
    """The capability sets. An ordinary user can only acquire them through files."""
    held = list(names)
    kept = held if root else []
    return {"bounding": held, "effective": kept, "permitted": kept}


def _mount(destination: str, type: str, source: str, options: list[str]) -> dict[str, Any]:
    return {"destination": destination, "type": type, "source": source, "options": options}
