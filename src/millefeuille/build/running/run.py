"""One RUN: a chain and a wish in, what the command wrote out, and nothing left behind.

    prepare a root on the chain ─► among mounts of its own: root, what is mounted in it, spec, start
        ─► hand on what it prints, wait ─► take back the places made for mounts ─► what it wrote ─► remove

Everything is mounted in a namespace that only the command has, so it goes with the command. What holds
secrets lies on a file system in memory there, which nobody else sees. Several threads may do this at once.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from millefeuille import files
from millefeuille.build.running import document, names
from millefeuille.build.running.failure import StepFailed, StepStopped
from millefeuille.build.running.host import RunHost, remove
from millefeuille.build.running.streams import Log, follow
from millefeuille.build.running.stubs import Stubs
from millefeuille.build.running.wish import RunWish
from millefeuille.layers.changes import Written
from millefeuille.runtime.bundles import claimed
from millefeuille.runtime.mountspace import privately
from millefeuille.runtime.runtime import Attached, StartFailed, Stdio
from millefeuille.snapshots import attach, written
from millefeuille.snapshots.snapshotter import Mount, close_all, let_go

# What the runtime exits with when it could not start the command.
_NOT_STARTED: Final = 1
_PRIVATE: Final = Mount(type="tmpfs", source="tmpfs", options=(("mode", "700"),))


@contextlib.contextmanager
def run_step(
    host: RunHost, wish: RunWish, log: Log, *, stop: threading.Event | None = None
) -> Iterator[Written]:
    """Run the command; in the block, what it wrote, for `changed.layer_changes`.

    `log` is told of what it prints, in the caller's thread. When `stop` is set meanwhile, the command is
    killed. Raises StepFailed, StepStopped, EntitlementMissing, NoSuchUser, InvalidDirectory, UnsafeRoot,
    UnsafeMount, UnsafePath, MountFailed, MountDenied, NamespaceDenied, RuntimeMissing, NotFound for the
    chain, and what `log` raises. Whatever is raised, nothing is left behind.
    """
    document.check(host, wish)
    id = os.urandom(32).hex()
    with claimed(host.directory, id) as bundle:
        step = _Step(host, wish, id, bundle)
        try:
            code = step.run(log, stop or threading.Event())
            if code:
                raise StepFailed(wish.arguments, code)
            with written.opened(host.snapshots, id) as found:
                yield found
        finally:
            remove(host, id, step.keys)


@dataclass(frozen=True, slots=True)
class _Started:
    process: Attached
    root: int


class _Step:
    def __init__(self, host: RunHost, wish: RunWish, id: str, bundle: str) -> None:
        self._host = host
        self._wish = wish
        self._id = id
        self._bundle = bundle
        self._private = f"{bundle}/private"
        self._stubs = Stubs()
        self.keys = [id]

    def run(self, log: Log, stop: threading.Event) -> int:
        """The exit code of the command."""
        mounts = self._host.snapshots.prepare(self._id, self._wish.parent)
        with contextlib.ExitStack() as stack:
            stack.callback(let_go, mounts)
            stack.callback(self._stubs.close)
            try:
                out, err = stack.enter_context(_pipe()), stack.enter_context(_pipe())
                started = privately(lambda: self._start(mounts, out.writer, err.writer))
            finally:
                close_all(mounts)
            stack.callback(os.close, started.root)
            # First of all, whatever happens: nothing can be taken away from below a command that runs.
            stack.callback(self._end, started.process)
            out.close_writer()
            err.close_writer()
            follow({out.reader: 1, err.reader: 2}, log, lambda: self._tick(stop))
            code = _waited(started.process)
            self._stubs.clear()
            return code

    def _end(self, process: Attached) -> None:
        self._host.runtime.delete(self._id)
        _waited(process)

    def _tick(self, stop: threading.Event) -> None:
        if stop.is_set():
            raise StepStopped("the build was stopped")

    def _start(self, mounts: tuple[Mount, ...], out: int, err: int) -> _Started:
        """Among mounts of our own: put the root together, and start the command."""
        files.make_directory(self._private)
        attach.attach([_PRIVATE], self._private)
        rootfs = f"{self._private}/rootfs"
        files.make_directory(rootfs)
        attach.attach([_volatile(mount) for mount in mounts], rootfs)
        root = os.open(rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._write_document(root, rootfs)
            stdio = Stdio(stdin=None, stdout=out, stderr=err)
            return _Started(self._host.runtime.run(self._id, self._bundle, stdio), root)
        except BaseException:
            os.close(root)
            raise

    def _write_document(self, root: int, rootfs: str) -> None:
        wish = self._wish
        text = document.document(
            self._host,
            self._id,
            wish,
            root=root,
            rootfs=rootfs,
            mounts=names.write(self._private, wish.hostname, wish.extra_hosts),
            variables=(),
            stubs=self._stubs,
        )
        names.write_file(f"{self._private}/config.json", text, mode=0o600)
        # The runtime's log is read from outside, its document, which may hold secrets, is not.
        files.act("symlink", self._bundle)
        os.symlink("private/config.json", f"{self._bundle}/config.json")


@dataclass(slots=True)
class _Pipe:
    reader: int
    writer: int

    def close_writer(self) -> None:
        """Leave it to the processes that inherited it."""
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1


@contextlib.contextmanager
def _pipe() -> Iterator[_Pipe]:
    pipe = _Pipe(*os.pipe2(os.O_CLOEXEC))
    try:
        yield pipe
    finally:
        pipe.close_writer()
        os.close(pipe.reader)


def _volatile(mount: Mount) -> Mount:
    """The root without any of its writes awaited: what is worth keeping is synced as a layer. For a command
    that syncs a lot, such as dpkg, this is most of its time.

    Source: Linux Documentation/filesystems/overlayfs.rst, Volatile mount.
    """
    if mount.type != "overlay" or mount.read_only:
        return mount
    return replace(mount, options=(*mount.options, ("volatile", None)))


def _waited(process: Attached) -> int:
    try:
        return process.wait()
    except StartFailed:
        return _NOT_STARTED  # the runtime has told why, among what the command prints
