"""Furnished: the root of a container as its processes see it, or would, with its volumes and binds in place,
and /etc/hosts and its like once it has run.

That of a container that does not run is put together in a mount namespace of its own, which nobody enters
and which goes with its last descriptor. Places are found within the root, held, and mounted upon: what the
container left there as a link leads nowhere else (CVE-2026-41568, CVE-2026-42306).
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager

from millefeuille import files, kernel
from millefeuille.containers import idle, initial, networking, roots, stubs
from millefeuille.containers.host import Host
from millefeuille.containers.mounts import read_only
from millefeuille.containers.paths import Root
from millefeuille.containers.record import Container, MountPoint
from millefeuille.layers.following import cleaned
from millefeuille.runtime.mountspace import privately
from millefeuille.snapshots import attach
from millefeuille.snapshots.snapshotter import Mount, close_all, let_go
from millefeuille.store.containers import NoSuchContainer
from millefeuille.values import replace


def opened(host: Host, container: Container) -> AbstractContextManager[int]:
    """A descriptor of the root for the length of the block. Raises as `roots.opened` does, VolumeNotFound,
    OSError.
    """
    points = [
        replace(point, read_only=read_only(host.volumes, point))
        for point in container.mounts
        if point.source
    ]
    own = _own_files(host, container)
    if not points and not own:
        return roots.opened(host, container)
    return idle.root(
        host.place, container, lambda: roots.running(host, container),
        lambda: _mounted(host, container, points, own),
    )  # fmt: skip


def _own_files(host: Host, container: Container) -> list[MountPoint]:
    """The files that the engine wrote for the container; none before its first start."""
    try:
        written = networking.host_files(host, container)
    except NoSuchContainer:  # the one that it shared a network with
        return []
    return [
        MountPoint(type="bind", target=target, source=path)
        for target, path in written.items()
        if os.path.exists(path)
    ]


@contextlib.contextmanager
def _mounted(
    host: Host, container: Container, points: list[MountPoint], own: list[MountPoint]
) -> Iterator[int]:
    initial.furnish(host, container)  # before anything is put into its volumes
    mounts = host.snapshots.mounts(container.id)
    try:
        # Its own directory is one that is there, and nobody but this namespace sees what covers it.
        target = host.place.directory(container.id)
        descriptor, namespace = privately(lambda: _put_together(mounts, target, points, own))
        try:
            yield descriptor
        finally:
            os.close(descriptor)
            os.close(namespace)
    finally:
        close_all(mounts)
        let_go(mounts)


def _put_together(
    mounts: tuple[Mount, ...], target: str, points: list[MountPoint], own: list[MountPoint]
) -> tuple[int, int]:
    """The root's descriptor, and that of the namespace which keeps what is mounted in it."""
    with contextlib.ExitStack() as held:
        # Before the root covers the directory that the container's own files lie in.
        sources = {point: _source(point, held) for point in (*points, *own)}
        attach.attach(mounts, target)
        root = os.open(target, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            stubs.offer(root)
            for point in sorted(points, key=lambda point: point.target.count("/")):
                _put(Root(root), point, sources[point])
            for point in own:
                if _is_file(Root(root), point.target):
                    _put(Root(root), point, sources[point])
            return root, os.open("/proc/thread-self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        except BaseException:
            os.close(root)
            raise


def _source(point: MountPoint, held: contextlib.ExitStack) -> int:
    """What is to be mounted, attached nowhere yet."""
    source = kernel.open_tree(point.source)
    held.callback(os.close, source)
    return source


def _put(root: Root, point: MountPoint, source: int) -> None:
    place = _place(root, point.target, directory=stat.S_ISDIR(os.fstat(source).st_mode))
    try:
        if point.read_only:
            kernel.mount_setattr("", directory=source, set=kernel.ATTR_RDONLY)
        files.act("mount", point.target)
        kernel.move_mount_onto(source, place)
    except OSError as error:
        raise attach.explain(error, f"mount at {point.target}") from None
    finally:
        os.close(place)


def _is_file(root: Root, target: str) -> bool:
    """Whether a file is at `target`: what the container made of it need not take a mount."""
    try:
        return stat.S_ISREG(root.status(cleaned(os.fsencode(target))).st_mode)
    except OSError:
        return False


def _place(root: Root, target: str, *, directory: bool) -> int:
    """Where to mount, made where it is missing: a directory, or an empty file for a file."""
    path = cleaned(os.fsencode(target))
    if directory:
        return root.make_directories(path)
    parent, _, name = root.canonical(path).rpartition(b"/")
    within = root.make_directories(parent)
    try:
        with contextlib.suppress(FileExistsError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            files.act("create", target)
            os.close(os.open(name, flags, 0o644, dir_fd=within))
        return os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=within)
    finally:
        os.close(within)
