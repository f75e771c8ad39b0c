"""Create: a record, a row and a writable root; nothing runs yet.

lock and directory ─► record ─► row, in one transaction with the question whether the image is still there
                             ─► writable root on the image's chain ─► what it has from the beginning
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping

from millefeuille import files
from millefeuille.annotations import Any
from millefeuille.containers import conflicts, initial, merging, mounts, naming, records, removal
from millefeuille.containers.happening import note
from millefeuille.containers.host import Host
from millefeuille.containers.place import Place
from millefeuille.containers.record import Container
from millefeuille.errors import MilleError
from millefeuille.oci.digest import Digest
from millefeuille.oci.moment import rfc3339
from millefeuille.runtime import acceptance
from millefeuille.snapshots.snapshotter import close_all, let_go
from millefeuille.store import containers
from millefeuille.store.containers import Row
from millefeuille.values import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to make: an image by ID with its chain, the diff IDs of that, the `config` member of its config,
    and Docker's `Config`, `HostConfig` and `NetworkingConfig`. `name` may be empty.
    """

    image: Digest
    chain: Digest | None
    layers: tuple[Digest, ...]
    platform: str
    image_config: Mapping[str, Any]
    config: Mapping[str, Any]
    host_config: Mapping[str, Any]
    networking: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""


def create(host: Host, wanted: Wanted, *, starting: bool = False) -> Container:
    """Make a container; one that is `starting` next lacks what a start sees to.

    Raises InvalidName, NameTaken, ImageGone, NoCommand, NoSuchContainer, Invalid, MountFailed, MountDenied,
    OSError; then nothing is left of it.
    """
    name = wanted.name.removeprefix("/")  # Docker keeps names with a slash before them
    if wanted.name:
        containers.check_name(name)
    conflicts.check(wanted.config, wanted.host_config)
    conflicts.check_networks(wanted.networking.get("EndpointsConfig") or {})
    host_config = _joining_by_id(host, wanted.host_config)
    config = merging.merged(wanted.config, wanted.image_config)
    path, arguments = merging.command_of(config)
    runtime = os.path.basename(host.runtime.program)
    acceptance.check(wanted.host_config, limited=host.runtime.limits, runtime=runtime)
    host_config = {**host_config, "Runtime": runtime}
    host.store.create()
    id, lock = _begun(host.place)
    try:
        config["Hostname"] = config.get("Hostname") or _hostname(wanted.host_config, id)
        created = time.time_ns()
        container = Container(
            id=id, name=name, created=rfc3339(created), image=wanted.image, chain=wanted.chain,
            layers=wanted.layers, path=path, args=arguments, platform=wanted.platform, config=config,
            host_config=_labelled(_counted(host_config)), networking=wanted.networking,
        )  # fmt: skip
        return _made(host, container, created, starting=starting)
    finally:
        files.release(lock)


def _made(host: Host, container: Container, created: int, *, starting: bool) -> Container:
    """The container with all that it has, on the disk and in the database; or nothing of it."""
    resolved = container
    try:
        resolved = mounts.resolve(host, container)
        made = _keep(host, resolved, created)
        if not starting:
            initial.furnish(host, made)
        note(host.store, made, "create")
        return made
    except BaseException:
        removal.discard(host, container.id)
        removal.drop_volumes(host, resolved)
        raise


def _begun(place: Place) -> tuple[str, int]:
    """A new ID, whose directory is there, and the held lock in that, for the caller to close.

    Raises OSError.
    """
    files.make_directory(place.containers)
    while True:
        id = os.urandom(32).hex()
        files.make_directory(place.directory(id))
        # Until the lock is held nothing tells this directory from one that a killed process has left. Who
        # sweeps may have taken the lock first, or removed both before it was taken.
        try:
            lock = files.create(place.lock(id), exclusive=False)
        except FileNotFoundError:
            continue
        if files.try_lock(lock) and os.path.exists(place.lock(id)):
            return id, lock
        files.release(lock)


def _keep(host: Host, container: Container, created: int) -> Container:
    id = container.id
    with host.store.writing() as tx:
        name, attempt = container.name or naming.propose(0), 0
        while not container.name and containers.has_name(tx, name):
            attempt += 1
            name = naming.propose(attempt)
        row = Row(
            id=id, name=name, image=container.image, chain=container.chain, created_ns=created
        )  # fmt: skip
        containers.add(tx, row)
        made = container.renamed(name)
        # Within the transaction: a row without its record would be a container that nobody can read.
        records.save(host.place, made)
    prepared = host.snapshots.prepare(id, container.chain)
    close_all(prepared)
    let_go(prepared)
    return made


def _joining_by_id(host: Host, host_config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The HostConfig, with the containers whose namespaces are to be joined by whole IDs: these stay the same
    when names change hands. One whose network is to be joined may come later, and keeps its name until then.

    Raises NoSuchContainer, AmbiguousPrefix, DamagedRecord, Unnamed.

    Source: moby v20.10.24, daemon/daemon_unix.go `adaptSharedNamespaceContainer`.
    """
    found = dict(host_config)
    for key in ("PidMode", "IpcMode", "NetworkMode"):
        kind, _, name = str(host_config.get(key) or "").partition(":")
        if kind != "container":
            continue
        try:
            found[key] = f"container:{records.find(host.store, host.place, name).id}"
        except MilleError:
            if key != "NetworkMode":
                raise
    return found


def _counted(host_config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The HostConfig, with no limit of processes where it is less than one: such a one is none."""
    limited = (host_config.get("PidsLimit") or 0) >= 0
    return host_config if limited else {**host_config, "PidsLimit": None}


def _labelled(host_config: Mapping[str, Any]) -> Mapping[str, Any]:
    """The HostConfig, without a label for who is privileged, or shares the host's processes or memory, unless
    one is asked for.

    Source: moby v28, daemon/create.go `generateSecurityOpt`.
    """
    options = list(host_config.get("SecurityOpt") or ())
    shares = "host" in (host_config.get("PidMode"), host_config.get("IpcMode"))
    if not (shares or host_config.get("Privileged")) or any(text.startswith("label=") for text in options):
        return host_config
    return {**host_config, "SecurityOpt": [*options, "label=disable"]}


def _hostname(host_config: Mapping[str, Any], id: str) -> str:
    if host_config.get("NetworkMode") == "host" or host_config.get("UTSMode") == "host":
        return os.uname().nodename
    return id[:12]
