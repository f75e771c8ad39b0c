"""The OCI runtime spec of a RUN, from what it wishes and what was made ready for it."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping, Sequence

from millefeuille.annotations import Any, Final
from millefeuille.build.running import entitlements
from millefeuille.build.running.host import RunHost
from millefeuille.build.running.stubs import Stubs
from millefeuille.build.running.wish import RunWish
from millefeuille.runtime import inroot, process, spec
from millefeuille.runtime.users import look_up

# Where every container has the kernel's file systems.
_KERNELS: Final = ("/proc", "/dev", "/sys")


def check(host: RunHost, wish: RunWish) -> None:
    """Hold that the command may have what it asks for. Raises EntitlementMissing."""
    entitlements.hold(wish.network, wish.security, host.allowed)


def document(
    host: RunHost,
    id: str,
    wish: RunWish,
    *,
    root: int,
    rootfs: str,
    mounts: Sequence[Mapping[str, Any]],
    variables: Sequence[str] = (),
    terminal: bool = False,
    stubs: Stubs,
) -> bytes:
    """The content of config.json. `root` is a descriptor of the root attached at `rootfs`; `mounts` are in
    the OCI spec's words, `variables` come after the wish's own.

    What is missing in the root is made, with `stubs` told. Raises as `spec.document` does.
    """
    ordered = sorted(mounts, key=lambda mount: mount["destination"].count("/"))
    _make_directory(root, wish, ordered)
    for target in _KERNELS:
        inroot.make_directory(root, target, witness=stubs.witness)
    environment = [*wish.proxies, *wish.environment, *variables]
    made = spec.document(
        spec.Bundle(
            id=id,
            rootfs=rootfs,
            root=root,
            config={
                "Hostname": wish.hostname,
                "User": wish.user,
                "Env": environment,
                "Cmd": list(wish.arguments),
                "WorkingDir": wish.directory,
                "Tty": terminal,
            },
            host_config=_host_config(wish),
            mounts=ordered,
            cgroup=host.runtime.group(id, cgroup_parent(wish)),
            limited=host.limited,
            rootless=host.rootless,
            witness=stubs.witness,
        )
    )
    stubs.settle()
    # A container has it among its variables, a RUN only when the image says so.
    if not any(text.startswith("HOSTNAME=") for text in environment):
        made["process"]["env"].remove(f"HOSTNAME={wish.hostname}")
    return json.dumps(made).encode()


def cgroup_parent(wish: RunWish) -> str:
    """The control group that the command's own is to lie in, "" for the usual one."""
    return str(wish.resources.get("CgroupParent") or "")


def _host_config(wish: RunWish) -> dict[str, Any]:
    return {
        **wish.resources,
        # There is no daemon that would keep a bridge: the default is the host's network.
        "NetworkMode": "none" if wish.network == "none" else "host",
        "Privileged": wish.security == "insecure",
        "ShmSize": wish.shm_size,
        "Ulimits": list(wish.ulimits),
    }


def _make_directory(root: int, wish: RunWish, mounts: Sequence[Mapping[str, Any]]) -> None:
    """Make a working directory that is missing, the user's own; below a mount the runtime does."""
    path = process.directory({"WorkingDir": wish.directory}, process.Wishes())
    tops = [*_KERNELS, *(mount["destination"] for mount in mounts)]
    if any(posixpath.commonpath((path, top)) == top for top in tops):
        return
    user = look_up(root, wish.user)
    inroot.make_directory(root, path, owner=(user.uid, user.gid))
