"""`run --rm` in the foreground: a chain and a config in, an exit code out, and nothing left behind.

    privately ─► prepare a root on the chain ─► attach it in the bundle ─► run, wait ─► detach, remove

The root is mounted in a namespace of its own: if this process is killed, the mounts go with the container,
and the next command removes the rest.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from millefeuille import files
from millefeuille.annotations import Any
from millefeuille.oci.digest import Digest
from millefeuille.plainjson import dumps
from millefeuille.runtime import hostfiles, spec
from millefeuille.runtime import process as processes
from millefeuille.runtime.bundles import abandoned, claimed
from millefeuille.runtime.mountspace import privately
from millefeuille.runtime.runtime import Runtime, Stdio
from millefeuille.runtime.signals import Forwarder, forwarding
from millefeuille.snapshots import attach
from millefeuille.snapshots.snapshotter import Snapshotter, close_all, let_go
from millefeuille.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What a run needs of the host: a snapshotter, a runtime, and a directory for bundles (absolute).

    The directory is for containers run once: whoever keeps containers keeps theirs elsewhere.
    """

    snapshots: Snapshotter
    runtime: Runtime
    directory: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What to run: `config` is the `config` member of the image's config."""

    parent: Digest | None
    config: Mapping[str, Any]
    wishes: processes.Wishes
    stdio: Stdio = field(default_factory=Stdio)
    host_network: bool = False


def run_once(host: Host, run: Run) -> int:
    """Run a container to its end; its exit code, 128 + n when signal n ended it.

    Signals to this process go to the container. Raises StartFailed, NoSuchUser, NoCommand, InvalidDirectory,
    UnsafeRoot, MountFailed, MountDenied, NamespaceDenied, RuntimeMissing. Whatever is raised, nothing is left
    behind.
    """
    sweep(host)
    id = os.urandom(32).hex()
    with forwarding() as forwarder, claimed(host.directory, id) as bundle:
        try:
            return privately(lambda: _mounted(host, run, id, bundle, forwarder))
        finally:
            _remove(host, id)
            host.snapshots.release_idle()


def sweep(host: Host) -> list[str]:
    """End and remove what commands that were killed have left; the IDs of these containers."""
    ids = abandoned(host.directory)
    for id in ids:
        _remove(host, id)
    host.snapshots.release_idle()
    return ids


def _remove(host: Host, id: str) -> None:
    host.runtime.delete(id)
    host.snapshots.remove(id)
    # Last: as long as it is there, a later command finds the rest.
    files.remove_tree(f"{host.directory}/{id}")


def _mounted(host: Host, run: Run, id: str, bundle: str, forwarder: Forwarder) -> int:
    rootfs = f"{bundle}/rootfs"
    files.make_directory(rootfs)
    mounts = host.snapshots.prepare(id, run.parent)
    try:
        try:
            targets = attach.attach(mounts, rootfs)
        finally:
            close_all(mounts)
        try:
            _write_spec(bundle, id, run, host.runtime.group(id))
            attached = host.runtime.run(id, bundle, run.stdio)
            forwarder.aim(attached)
            return attached.wait()
        finally:
            attach.detach(targets)
    finally:
        let_go(mounts)


def _write_spec(bundle: str, id: str, run: Run, group: str) -> None:
    rootfs = f"{bundle}/rootfs"
    hostname = os.uname().nodename if run.host_network else id[:12]
    wishes = run.wishes
    config = {
        "Hostname": hostname,
        "User": (run.config.get("User") or "") if wishes.user is None else wishes.user,
        "Env": [*(run.config.get("Env") or ()), *wishes.environment],
        "Cmd": list(processes.arguments(run.config, wishes)),
        "WorkingDir": wishes.directory or run.config.get("WorkingDir"),
    }
    root = os.open(rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        document = spec.document(
            spec.Bundle(
                id=id,
                rootfs=rootfs,
                root=root,
                config=config,
                host_config={"NetworkMode": "host"} if run.host_network else {},
                host_files=hostfiles.write(bundle, hostname, host_network=run.host_network),
                cgroup=group,
            )
        )
    finally:
        os.close(root)
    _write(f"{bundle}/config.json", dumps(document).encode())


def _write(path: str, data: bytes) -> None:
    descriptor = files.create(path)
    try:
        with files.about(path):
            files.write(descriptor, data)
    finally:
        os.close(descriptor)
