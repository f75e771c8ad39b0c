"""Start: from a container that was created to a process, with a monitor beside it.

    lock ─► what an earlier run left is removed ─► network ─► the host's files
         ─► in a mount namespace of its own: root attached ─► runtime spec ─► monitor ─► process

The lock is handed to the monitor. Whatever goes wrong before, the container is as it was.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from millefeuille import files
from millefeuille.annotations import Any, Final
from millefeuille.containers import idle, initial, logoptions, monitoring, networking, records, removal, stubs
from millefeuille.containers import mounts as container_mounts
from millefeuille.containers.happening import facts
from millefeuille.containers.host import Host
from millefeuille.containers.record import NEVER, Container
from millefeuille.errors import Conflict
from millefeuille.networks.networks import Connection
from millefeuille.plainjson import dumps
from millefeuille.runtime import cgroup, mountpoints, sharedmemory, spec
from millefeuille.runtime.mountspace import privately
from millefeuille.runtime.runtime import StartFailed
from millefeuille.snapshots import attach
from millefeuille.snapshots.snapshotter import Mount, close_all, holds, let_go
from millefeuille.values import replace

_SECOND: Final = 1_000_000_000
_UNKNOWN: Final = 128


class AlreadyRunning(Conflict):
    """The container runs."""


class Paused(Conflict):
    """The container is paused: it goes on when it is let go on, not when it is started."""


def start(host: Host, container: Container, client: socket.socket | None = None) -> int:
    """Start a container; the ID of its first process. `client` is attached before there is any output.

    Raises AlreadyRunning, Paused, NoSuchContainer, StartFailed, and what the parts raise; then nothing of it
    runs.
    """
    _, lock = idle.found_or_held(host.place, container, lambda: _refuse_running(host, container))
    try:
        try:
            removal.quiet(host, container.id)
            return _launch(host, container, lock, client)
        finally:
            os.close(lock)
    except BaseException as error:
        _clear_up(host, container, error)
        raise


def _refuse_running(host: Host, container: Container) -> None:
    told = records.state(host.place, container.id)
    if told.status == "paused":
        raise Paused("cannot start a paused container, try unpause instead")
    if told.running:
        raise AlreadyRunning(f"container {container.id} is already running")


def _clear_up(host: Host, container: Container, error: BaseException) -> None:
    """Not before the runtime has let go of the lock too: a monitor that was killed may have left it busy."""
    _, lock = idle.found_or_held(host.place, container, lambda: None)
    try:
        removal.quiet(host, container.id)
        _note_failure(host, container, error)
    finally:
        files.release(lock)


def _launch(host: Host, container: Container, lock: int, client: socket.socket | None) -> int:
    place = host.place
    for directory in (place.run, f"{place.run}/containers", f"{place.run}/short", place.bundle(container.id)):
        files.make_directory(directory)
    files.make_directory(place.rootfs(container.id))
    records.ensure_state(place, container.id)
    connection = networking.connect(host, container)
    container = networking.called_as_joined(host, container)
    networking.write_host_files(host, container, connection)
    mounts = host.snapshots.mounts(container.id)
    try:
        return privately(lambda: _mounted(host, container, mounts, connection, lock, client))
    finally:
        close_all(mounts)
        let_go(mounts)


def _mounted(
    host: Host, container: Container, mounts: tuple[Mount, ...], connection: Connection, lock: int,
    client: socket.socket | None,
) -> int:  # fmt: skip
    place = host.place
    rootfs = place.rootfs(container.id)
    attach.attach(mounts, rootfs)
    root = os.open(rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        mountpoints.check(root)
        stubs.make(root)
        initial.complete(host, container, root)
        host_config = networking.joined(host, container)
        shared = sharedmemory.joined(host_config, f"{place.bundle(container.id)}/shm")
        document = spec.document(
            spec.Bundle(
                id=container.id, rootfs=rootfs, root=root, config=container.config,
                host_config=host_config, mounts=[*shared, *container_mounts.binds(host, container)],
                chosen=container_mounts.chosen(container),
                host_files=networking.host_files(host, container),
                network_namespace=connection.namespace,
                cgroup=_group(host, container),
                limited=host.runtime.limits, rootless=host.rootless,
            )
        )  # fmt: skip
    finally:
        os.close(root)
    _write(f"{place.bundle(container.id)}/config.json", document)
    _write(place.order(container.id), _order(host, container, connection))
    return monitoring.start(host, container, lock, client, holds(mounts))


def _group(host: Host, container: Container) -> str:
    return host.runtime.group(container.id, container.host_config.get("CgroupParent") or "")


def _write(path: str, document: Mapping[str, Any]) -> None:
    descriptor = files.create(path, exclusive=False)
    try:
        with files.about(path):
            files.write(descriptor, dumps(document).encode())
    finally:
        os.close(descriptor)


def _order(host: Host, container: Container, connection: Connection) -> dict[str, Any]:
    config, wishes, place = container.config, container.host_config, host.place
    policy = wishes.get("RestartPolicy") or {}
    automatic = bool(wishes.get("AutoRemove"))
    group = _group(host, container)
    cleaning = [*host.command, "container", "cleanup", container.id]
    return {
        "id": container.id,
        "runtime": host.runtime.command(),
        "runtime_state": host.runtime.state_of(container.id),
        "groups": cgroup.directories(group),
        "bundle": place.bundle(container.id),
        "state": place.state(container.id),
        "telling": _telling(host, container),
        "log": _log(place.log(container.id), container),
        "console": place.short(container.id),
        "tty": bool(config.get("Tty")),
        "open_stdin": bool(config.get("OpenStdin")),
        "stdin_once": bool(config.get("StdinOnce")),
        "policy": policy.get("Name") or "no",
        "retries": policy.get("MaximumRetryCount") or 0,
        "auto_remove": automatic,
        "cleanup": cleaning if automatic or connection.needs_release else [],
        "environment": dict(host.environment),
        "counters": cgroup.oom_counters(group),
        "restarts": 0,
        "finished": records.recorded(place, container.id).finished,
        "health": _health(config.get("Healthcheck") or {}, config.get("Shell")),
    }


def _telling(host: Host, container: Container) -> dict[str, Any]:
    """What the monitor tells the journal of, besides the container's runs."""
    volumes = [
        {
            "actor": mount.name, "driver": "local", "destination": mount.target, "propagation": "",
            "read/write": "false" if mount.read_only else "true",
        }
        for mount in container.mounts
        if mount.type == "volume"
    ]  # fmt: skip
    return {
        "journal": host.store.disk.journal, "record": host.place.record(container.id),
        "facts": facts(container), "lease": host.networks.leases.path(container.id), "volumes": volumes,
    }  # fmt: skip


def _log(path: str, container: Container) -> dict[str, Any]:
    """What the monitor makes a `Log` of. Raises InvalidLogOption."""
    options = logoptions.settled(container.host_config, container.config)
    attributes = dumps(options.attributes, sort_keys=True, separators=(",", ":"))
    logged = (container.host_config.get("LogConfig") or {}).get("Type") != "none"
    return {
        "path": path if logged else "", "size": options.size, "files": options.files,
        "attributes": attributes,
    }  # fmt: skip


def _health(check: Mapping[str, Any], shell: list[str] | None) -> dict[str, Any] | None:
    """What the monitor needs of Docker's `Healthcheck`, with Docker's defaults; times in nanoseconds."""
    test = check.get("Test") or []
    if not test or test[0] == "NONE":
        return None
    command = test[1:] if test[0] == "CMD" else [*(shell or ["/bin/sh", "-c"]), *test[1:2]]
    return {
        "command": command,
        "interval": check.get("Interval") or 30 * _SECOND,
        "timeout": check.get("Timeout") or 30 * _SECOND,
        "start_period": check.get("StartPeriod") or 0,
        "start_interval": check.get("StartInterval") or 5 * _SECOND,
        "retries": check.get("Retries") or 3,
    }


def _note_failure(host: Host, container: Container, error: BaseException) -> None:
    told = records.recorded(host.place, container.id)
    status = "created" if told.started == NEVER else "exited"
    failed = replace(
        told, status=status, pid=0, exit_code=_exit_code(error, told.exit_code), error=str(error)
    )
    records.save_state(host.place, container.id, failed)


def _exit_code(error: BaseException, before: int) -> int:
    """What a start that failed leaves: what the runtime says of the program, else the code of the run before.

    Source: moby v28, daemon/start.go `containerStart`, daemon/errors.go `setExitCodeFromError`.
    """
    if isinstance(error, StartFailed):
        if error.exit_code in (126, 127):
            return error.exit_code
        if "not a directory" in error.reason.lower():
            return 127
    return before or _UNKNOWN
