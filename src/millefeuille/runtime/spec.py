"""The OCI runtime spec of a container, from Docker's `Config` and `HostConfig`.

What an image or a user writes into labels or annotations never becomes an annotation here: runtimes act on
some.

Source: OCI runtime-spec v1.0.2, config.md and config-linux.md; moby v28, daemon/oci_linux.go.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.runtime import (
    devices,
    executable,
    filesystems,
    init,
    inroot,
    isolation,
    limits,
    mountpoints,
    namespaces,
    processdocument,
    seccomp,
    security,
)
from millefeuille.runtime import process as processes
from millefeuille.runtime.process import Process
from millefeuille.values import dataclass, field, replace

_VERSION: Final = "1.0.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A container about to run. `root` is a descriptor of its root file system, attached at `rootfs`.

    `config` (the image's merged in) and `host_config` have the keys of Docker's API. `mounts` are those the
    user asked for, in the OCI spec's words, parents first, and `chosen` the targets of those that no image
    asked for; `host_files` maps places inside to host paths.
    `network_namespace` is the path of the one to join; without, the container gets an empty one, or the
    host's for the mode "host". `cgroup` is its control group (see `Runtime.group`); `limited` says whether
    the runtime can set limits at all; `rootless` that this process is in a user namespace of an ordinary
    user. `witness` is told of each place for a mount that has to be made (see `inroot`).
    """

    id: str
    rootfs: str
    root: int
    config: Mapping[str, Any]
    host_config: Mapping[str, Any]
    mounts: Sequence[Mapping[str, Any]] = ()
    chosen: Collection[str] = ()
    host_files: Mapping[str, str] = field(default_factory=dict)
    network_namespace: str | None = None
    cgroup: str
    limited: bool = True
    rootless: bool = False
    witness: inroot.Witness | None = None


def document(bundle: Bundle) -> dict[str, Any]:
    """The content of the bundle's config.json.

    Missing mount points and the working directory are made in the root. Raises UnsafeRoot, UnsafeMount,
    UnsafePath, PropagationUnsupported, Deaf, NoCommand, InvalidDirectory, NoSuchUser, InvalidUserFile,
    StartFailed, UnknownCapability, InvalidSecurityOption, SecurityUnsupported, InvalidProfile, InvalidDevice,
    NoSuchDevice, InvalidUlimit, InvalidLimit, InvalidMode, InitMissing, LimitsUnsupported.
    """
    mountpoints.check(bundle.root)
    host_config = bundle.host_config
    process = processes.configured(bundle.root, bundle.config, host_config)
    if not bundle.mounts:
        executable.check(bundle.root, process.arguments[0], process.environment, process.directory)
    process, files = _with_init(bundle, process)
    users = [*bundle.mounts, *(devices.binds(host_config) if bundle.rootless else ())]
    wanted = filesystems.Wanted(
        users=users, chosen=bundle.chosen, files=files, rootless=bundle.rootless,
        witness=bundle.witness,
    )  # fmt: skip
    mounts = filesystems.mounts(bundle.root, host_config, wanted)
    _make_directory(bundle, process, mounts)
    return {
        "ociVersion": _VERSION,
        "root": {"path": bundle.rootfs, "readonly": bool(host_config.get("ReadonlyRootfs"))},
        **_names(bundle),
        "process": {
            **processdocument.document(process, bundle.config, host_config),
            **_killing(bundle),
        },
        "mounts": mounts,
        "linux": _linux(bundle),
    }


def _with_init(bundle: Bundle, process: Process) -> tuple[Process, dict[str, str]]:
    """The process with an init before it where one is wanted, and the host's files that go with it.

    A container that shares its processes has somebody else for that.
    """
    files = dict(bundle.host_files)
    if not bundle.host_config.get("Init") or (bundle.host_config.get("PidMode") or "") not in ("", "private"):
        return process, files
    files[init.TARGET] = init.find()
    return replace(process, arguments=(init.TARGET, "--", *process.arguments)), files


def _linux(bundle: Bundle) -> dict[str, Any]:
    host_config, guard = bundle.host_config, processdocument.guard(bundle.host_config)
    bounds = limits.resources(host_config, settable=bundle.limited)
    nodes, rules = devices.granted(host_config, rootless=bundle.rootless)
    document: dict[str, Any] = {
        "namespaces": namespaces.entries(
            host_config, bundle.network_namespace, hybrid=namespaces.is_hybrid()
        ),
        # An ordinary user has none: runtimes pass over that only when none is asked for.
        **({} if bundle.rootless and not bundle.limited else {"cgroupsPath": bundle.cgroup}),
        "resources": {**bounds, **({} if bundle.rootless else {"devices": rules})},
        "devices": nodes,
        "sysctl": _sysctls(bundle),
        "maskedPaths": _paths(host_config, "MaskedPaths", isolation.MASKED_PATHS, guard),
        "readonlyPaths": _paths(host_config, "ReadonlyPaths", isolation.READ_ONLY_PATHS, guard),
    }
    if guard.profile is not None:
        document["seccomp"] = seccomp.resolved(guard.profile, processdocument.allowed(host_config))
    return document


def _names(bundle: Bundle) -> dict[str, str]:
    if bundle.host_config.get("UTSMode") == "host":
        return {}
    return {"hostname": bundle.config.get("Hostname") or bundle.id[:12]}


def _killing(bundle: Bundle) -> dict[str, int]:
    """How likely the kernel kills it for want of memory: as likely as any, whatever holds for who starts it.

    An ordinary user may not make that less likely than it is, and is given that as by Docker.

    Source: moby v28, specconv_linux.go `toRootless`.
    """
    adjustment = bundle.host_config.get("OomScoreAdj") or 0
    if not bundle.rootless:
        return {"oomScoreAdj": adjustment}
    return {"oomScoreAdj": max(adjustment, _own_adjustment())} if adjustment else {}


def _own_adjustment() -> int:
    """That of this process."""
    with open("/proc/self/oom_score_adj", encoding="ascii") as file:
        return int(file.read())


def _sysctls(bundle: Bundle) -> dict[str, str]:
    """What Docker sets of itself, then what the user wants."""
    chosen: dict[str, str] = {}
    if bundle.host_config.get("NetworkMode") != "host":
        chosen["net.ipv4.ip_unprivileged_port_start"] = "0"
        if not bundle.rootless:
            chosen["net.ipv4.ping_group_range"] = "0 2147483647"
    domain = bundle.config.get("Domainname")
    if domain and bundle.host_config.get("UTSMode") != "host":
        chosen["kernel.domainname"] = domain
    return chosen | dict(bundle.host_config.get("Sysctls") or {})


def _paths(
    host_config: Mapping[str, Any], key: str, usual: Sequence[str], guard: security.Security
) -> list[str]:
    if host_config.get("Privileged") or guard.shows_system_paths:
        return []
    given = host_config.get(key)
    return list(usual if given is None else given)


def _make_directory(bundle: Bundle, process: Process, mounts: Sequence[Mapping[str, Any]]) -> None:
    """Make a working directory that is missing; below a mount the runtime does."""
    path = process.directory
    if any(path == mount["destination"] or path.startswith(mount["destination"] + "/") for mount in mounts):
        return
    processes.make_directory(bundle.root, path)
