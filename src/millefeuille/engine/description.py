"""The engine's description of itself: what `info` shows."""

from __future__ import annotations

import hashlib
import os
import time
import uuid

import millefeuille
from millefeuille.containers import records
from millefeuille.docker import rfc3339
from millefeuille.docker.shapes.info import EngineInfo
from millefeuille.engine.place import place
from millefeuille.engine.snapshots import choice
from millefeuille.engine.store import existing
from millefeuille.engine.surroundings import file_system, surroundings
from millefeuille.errors import MilleError
from millefeuille.registry.hosts import Hosts
from millefeuille.registry.proxies import Proxies
from millefeuille.registry.redaction import show_url
from millefeuille.runtime import cgroup
from millefeuille.runtime import probe as runtimes
from millefeuille.runtime.invocation import RuntimeMissing
from millefeuille.settings import Settings
from millefeuille.snapshots.attach import NoUpper
from millefeuille.snapshots.choice import DRIVERS, NoDriver, refuse_unknown
from millefeuille.snapshots.overlay import probe as overlay
from millefeuille.snapshots.overlay.marks import marks
from millefeuille.store import containers
from millefeuille.store.store import Store
from millefeuille.values import replace

# Docker takes these for insecure without being told.
_LOOPBACK = ("::1/128", "127.0.0.0/8")
_SECCOMP = "/proc/sys/kernel/seccomp"  # there where the kernel can filter system calls


def describe(settings: Settings) -> EngineInfo:
    """What this engine is and has, with its store and this host. Raises Invalid for broken configuration."""
    store = existing(settings)
    programs, warnings = _runtimes(settings)
    driver, status = _driver(settings, store)
    running, paused, stopped = _containers(settings, store)
    return replace(
        _reaching_out(settings, _on_host(settings)),
        images=_images(store),
        driver=driver,
        driver_status=status,
        running=running,
        paused=paused,
        stopped=stopped,
        runtimes=programs,
        default_runtime=next(iter(programs), ""),
        warnings=(*warnings, *_unwritable(store)),
    )


def _on_host(settings: Settings) -> EngineInfo:
    """What the host tells, and nothing of the store."""
    host, privileged = surroundings(), os.geteuid() == 0
    return EngineInfo(
        id=str(uuid.UUID(bytes=hashlib.sha256(os.fsencode(settings.root)).digest()[:16], version=4)),
        version=millefeuille.__version__,
        root=settings.root,
        time=rfc3339.text(time.time_ns()),
        name=host.name,
        kernel=host.kernel,
        operating_system=host.operating_system,
        os_version=host.os_version,
        architecture=host.architecture,
        cpus=host.cpus,
        memory=host.memory,
        images=0,
        driver="",
        limits=cgroup.limits() if privileged else frozenset(),
        cgroup_driver="cgroupfs" if privileged else "none",
        cgroup_version=host.cgroup,
        security=_security(privileged),
    )


def _reaching_out(settings: Settings, info: EngineInfo) -> EngineInfo:
    """The same with how registries are reached."""
    hosts = Hosts.load(settings.environment, settings.home)
    proxies = Proxies.load(settings.environment)
    locations = {entry.location for entry in hosts.entries if entry.insecure and "/" not in entry.location}
    return replace(
        info,
        insecure=(*sorted(hosts.daemon.insecure | locations), *_LOOPBACK, *map(str, hosts.daemon.networks)),
        mirrors=tuple(f"{scheme}://{name}/" for scheme, name in hosts.daemon.mirrors),
        http_proxy=show_url(proxies.by_scheme.get("http", "")),
        https_proxy=show_url(proxies.by_scheme.get("https", "")),
        no_proxy=proxies.direct,
    )


def _images(store: Store | None) -> int:
    if store is None:
        return 0
    with store.reading() as tx:
        return int(tx.execute("SELECT count(*) FROM images").fetchone()[0])


def _containers(settings: Settings, store: Store | None) -> tuple[int, int, int]:
    """How many run, are paused, and do neither; one that waits to be started again does neither."""
    if store is None:
        return 0, 0, 0
    with store.reading() as tx:
        ids = [row.id for row in containers.rows(tx)]
    where = place(settings)
    told = [records.state(where, id).status for id in ids]
    running, paused = told.count("running"), told.count("paused")
    return running, paused, len(told) - running - paused


def _security(privileged: bool) -> tuple[str, ...]:
    """What a container is held by without being told, in Docker's words."""
    seccomp = ("name=seccomp,profile=builtin",) if os.path.exists(_SECCOMP) else ()
    return seccomp if privileged else (*seccomp, "name=rootless")


def _runtimes(settings: Settings) -> tuple[dict[str, str], tuple[str, ...]]:
    try:
        program = runtimes.find(settings.run).program
    except RuntimeMissing as missing:
        return {}, (f"WARNING: {missing}",)
    return {os.path.basename(program): program}, ()


def _unwritable(store: Store | None) -> tuple[str, ...]:
    """That images can be looked at here, but containers have no place to write to; tried out, too."""
    if store is None or os.geteuid() != 0:  # an ordinary user mounts in a namespace only
        return ()
    try:
        error = overlay.probe(store.disk.trash, marks())
    except OSError:  # the store takes nothing at all
        return ()
    if not isinstance(error, NoUpper):
        return ()
    where = f"overlayfs cannot keep what it changes on the file system of {store.disk.root}"
    return (f"WARNING: No container can run: {where}",)


def _driver(settings: Settings, store: Store | None) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The driver, where layers lie, and why it is this one; tried out, for a kernel does not tell."""
    refuse_unknown(settings.snapshotter)
    driver, reason = settings.snapshotter or DRIVERS[0], "not tried: there is no store yet"
    if store is not None:
        try:
            chosen = choice(settings, store)
            driver, reason = chosen.driver, chosen.reason
        except NoDriver as error:
            reason = f"not possible: {error}"
        except (OSError, MilleError) as error:
            reason = f"not tried: {error}"
    return driver, (("Backing Filesystem", file_system(settings.root) or "none yet"), ("Mounts", reason))
