"""Filesystems: everything a container mounts, in order: the kernel's own, the host's files, what the user
wants.

Where a mount goes is found, and made where missing, inside the root; what lies there must not turn it to
/proc, /dev or /sys, however the image has its links. There a mount stands only where a user has chosen it,
by that very name: in place of the engine's /dev or /sys, on one of the few files of /proc that runc lets one
mount over, or as the host's /proc.

Source: moby v28, daemon/oci_linux.go `withMounts`; runc, libcontainer/rootfs_linux.go `checkProcMount`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.errors import Invalid
from millefeuille.later import Later
from millefeuille.runtime import inroot, isolation
from millefeuille.values import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from millefeuille.runtime import lockedflags, propagation
else:
    lockedflags = Later("millefeuille.runtime.lockedflags")
    propagation = Later("millefeuille.runtime.propagation")

Mount = dict[str, Any]

_KERNELS: Final = ("/proc", "/dev", "/sys")
# What lxcfs has mounted over, so that a container sees its own limits.
_OF_PROC: Final = frozenset(
    f"/proc/{name}" for name in "cpuinfo diskstats loadavg meminfo slabinfo stat swaps uptime".split()
)
_ELSEWHERE: Final = "Choose another place in the container."
_ALLOWING: Final = "`--unsafe` lets a bind or a tmpfs stand there, in place of what the kernel shows."
# What --read-only leaves writable.
_ALWAYS_WRITABLE: Final = frozenset(("/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"))
_PROPAGATING: Final = frozenset(("shared", "rshared", "slave", "rslave"))
_OPEN: Final = 0o1777  # what the kernel gives a tmpfs
_MEMORY: Final = ("noexec", "nosuid", "nodev")
_OPPOSITE: Final = {"exec": "noexec", "suid": "nosuid", "dev": "nodev", "ro": "rw", "rw": "ro"}


class UnsafeMount(Invalid):
    """A mount on one of the kernel's file systems."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is mounted beside the kernel's own: `users` in the OCI spec's words, parents first; `files` host
    paths by target. `chosen` are the targets of those that somebody has asked for in so many words, not an
    image. `witness` is told of each place that has to be made (see `inroot`).
    """

    users: Sequence[Mapping[str, Any]] = ()
    chosen: Collection[str] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    rootless: bool = False
    witness: inroot.Witness | None = None


def mounts(root: int, host_config: Mapping[str, Any], wanted: Wanted) -> list[Mount]:
    """All mounts. Raises UnsafeMount, PropagationUnsupported, Deaf, UnsafePath, OSError."""
    users = [*map(dict, wanted.users), *_temporary(host_config, wanted)]
    placed: list[Mount] = []
    chosen = {*wanted.chosen}
    if host_config.get("Privileged"):
        chosen.update(_KERNELS)
    for mount in users:
        if _PROPAGATING.intersection(mount.get("options") or ()):
            propagation.check(mount)
        placed.append(_place(root, mount, placed, wanted.witness, chosen))
    access = "ro" if host_config.get("ReadonlyRootfs") else "rw"
    for target, source in wanted.files.items():
        bind = {
            "destination": target,
            "type": "bind",
            "source": source,
            "options": ["rbind", "rprivate", access],
        }
        if all(mount["destination"] != target for mount in placed):
            placed.append(_place(root, bind, placed, wanted.witness, ()))
    taken = {mount["destination"] for mount in placed}
    kernels = [
        mount
        for mount in _kernels(host_config, wanted)
        # A /dev or /sys of the user's has what belongs below it.
        if mount["destination"] not in taken
        and not any(_is_below(mount["destination"], kernel) for kernel in taken.intersection(_KERNELS))
    ]
    ordered = [*kernels, *sorted(placed, key=lambda mount: mount["destination"].count("/"))]
    return [lockedflags.keeping(mount) for mount in ordered] if wanted.rootless else ordered


def place_mode(options: Iterable[str]) -> int:
    """The mode of a place that is made for a tmpfs: runc gives the tmpfs that of the place it is put on."""
    given = [word.removeprefix("mode=") for word in options if word.startswith("mode=")]
    try:
        return int(given[-1], 8) & 0o7777 if given else _OPEN
    except ValueError:
        return _OPEN  # the kernel says what is wrong with it


def _kernels(host_config: Mapping[str, Any], wanted: Wanted) -> list[Mount]:
    """The kernel's file systems, as the modes of `HostConfig` have them."""
    own = isolation.mounts()
    ipc = host_config.get("IpcMode") or ""
    for mount in own:
        target, options = mount["destination"], mount["options"]
        if target == "/dev/shm" and (size := host_config.get("ShmSize")):
            options[:] = [word for word in options if not word.startswith("size=")] + [f"size={size}"]
        if host_config.get("Privileged") and target in ("/sys", "/sys/fs/cgroup"):
            options.remove("ro")
        if host_config.get("ReadonlyRootfs") and target not in _ALWAYS_WRITABLE and "ro" not in options:
            options.append("ro")
    if wanted.rootless:
        own = [_rootless(mount, host_config) for mount in own]
    if ipc == "none":
        own = [mount for mount in own if mount["destination"] != "/dev/shm"]
    elif ipc == "host":
        shared = ("/dev/shm", "/dev/mqueue") if wanted.rootless else ("/dev/shm",)
        own = [_from_host(mount) if mount["destination"] in shared else mount for mount in own]
        own = [mount for mount in own if mount["type"] != "bind" or os.path.exists(mount["source"])]
    return own


def _rootless(mount: Mount, host_config: Mapping[str, Any]) -> Mount:
    """A mount as it can be made in a user namespace."""
    target, options = mount["destination"], mount["options"]
    if target == "/dev/pts":
        # There the group of terminals has no number.
        return {**mount, "options": [word for word in options if not word.startswith("gid=")]}
    if target == "/sys" and host_config.get("NetworkMode") == "host":
        # Only who owns the network namespace may mount it anew.
        return {**_from_host(mount), "options": ["rbind", "nosuid", "noexec", "nodev", "ro"]}
    if target == "/proc" and host_config.get("PidMode") == "host":
        return {**_from_host(mount), "options": ["rbind", "nosuid", "noexec", "nodev"]}
    return mount


def _from_host(mount: Mount) -> Mount:
    target = mount["destination"]
    return {"destination": target, "type": "bind", "source": target, "options": ["rbind", "rprivate"]}


def _temporary(host_config: Mapping[str, Any], wanted: Wanted) -> list[Mount]:
    """Docker's `Tmpfs`, but for what the caller has in its mounts already."""
    given = {mount["destination"] for mount in wanted.users}
    return [
        {"destination": target, "type": "tmpfs", "source": "tmpfs", "options": _merged(words)}
        for target, words in (host_config.get("Tmpfs") or {}).items()
        if target not in given
    ]


def _merged(words: str) -> list[str]:
    asked = [word for word in words.split(",") if word]
    return [word for word in _MEMORY if not any(_OPPOSITE.get(other) == word for other in asked)] + asked


def _place(
    root: int, mount: Mount, earlier: Sequence[Mount], witness: inroot.Witness | None,
    chosen: Collection[str],
) -> Mount:  # fmt: skip
    """The mount with the real path of its target, which is made unless it lies on another mount."""
    target = mount["destination"]
    may_stand = _may_stand(mount)
    if target not in chosen or not may_stand:
        _refuse_kernels(target, target, advice=_ALLOWING if may_stand else _ELSEWHERE)
    above = any(_is_below(target, other["destination"]) for other in earlier)
    if above or any(_is_below(target, kernel) or target == kernel for kernel in _KERNELS):
        return mount
    if mount["type"] == "bind" and not _is_directory(mount["source"]):
        real = inroot.make_file(root, target, witness=witness)
    else:
        inroot.make_directory(root, os.path.dirname(target), witness=witness)
        mode = place_mode(mount["options"]) if mount["type"] == "tmpfs" else 0o755
        real = inroot.make_directory(root, target, mode=mode, witness=witness)
    _refuse_kernels(real, target)
    if real.startswith(("/dev/", "/sys/")):
        raise UnsafeMount(f"{target}: the image has it at {real}")
    return {**mount, "destination": real}


def _may_stand(mount: Mapping[str, Any]) -> bool:
    """Whether a mount may stand among the kernel's where it was chosen to. Elsewhere below /proc it could
    make the runtime write to other files than it means to (CVE-2019-16884, CVE-2025-52881).
    """
    target = mount["destination"]
    if target == "/proc":
        return mount["type"] == "bind" and _is_hosts_proc(mount["source"])
    return target in ("/dev", "/sys") or (target in _OF_PROC and mount["type"] == "bind")


def _is_hosts_proc(source: str) -> bool:
    try:
        return os.path.samefile(source, "/proc")
    except OSError:
        return False


def _refuse_kernels(path: str, target: str, *, advice: str | None = None) -> None:
    if path == "/" or _is_below(path, "/proc") or path in _KERNELS:
        raise UnsafeMount(f"{target}: nothing can be mounted on {path}", advice=advice)


def _is_below(path: str, directory: str) -> bool:
    return path.startswith(directory + "/")


def _is_directory(source: str) -> bool:
    try:
        return stat.S_ISDIR(os.stat(source).st_mode)
    except OSError:
        return True  # the runtime says what is wrong with it
