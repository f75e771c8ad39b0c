"""Step: one command put together and started, in a root and among mounts that only it has.

    in memory: private directory ─► root ─► mounts of the wish ─► spec ─► start … end ─► stubs taken back

All that is mounted goes with the command. What holds secrets lies on a file system in memory there, which
nobody else sees.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.build.running import document, names
from millefeuille.build.running.failure import StepStopped
from millefeuille.build.running.host import RunHost
from millefeuille.build.running.mounts import Furnished, Furnishing
from millefeuille.build.running.stubs import Stubs
from millefeuille.build.running.trees import Trees
from millefeuille.build.running.wish import RunWish
from millefeuille.runtime import cgroup
from millefeuille.runtime.mountspace import privately
from millefeuille.runtime.runtime import Running, StartFailed, Stdio
from millefeuille.snapshots import attach
from millefeuille.snapshots.snapshotter import Mount, close_all, let_go
from millefeuille.values import replace

# What the runtime exits with when it could not start the command.
NOT_STARTED: Final = 1
_PAUSE: Final = 0.1  # seconds between two looks at a command that is to end
_PATIENCE: Final = 5.0  # seconds for the runtime to note what it starts
_PRIVATE: Final = Mount(type="tmpfs", source="tmpfs", options=(("mode", "700"),))


class Step:
    """The command of a wish, as the container `id` with the directory `bundle`.

    `keys` are roots made for it, the caller's to remove when the block of `started` is left.
    """

    def __init__(self, host: RunHost, wish: RunWish, id: str, bundle: str, *, terminal: bool = False) -> None:
        self._host = host
        self._wish = wish
        self._id = id
        self._bundle = bundle
        self._terminal = terminal
        self._private = host.private
        self._stubs = Stubs()
        self.keys: list[str] = []

    @contextlib.contextmanager
    def started(
        self, mounts: tuple[Mount, ...], stdio: Stdio, tick: Callable[[], None]
    ) -> Iterator[Running]:
        """Start the command in the root that `mounts` make, which are this function's; it is over when the
        block is left, however that is left. What `tick` raises before it began keeps it from beginning.

        In the block the command may be waited for, and then `clear` be called.
        """
        interrupted = threading.Event()

        def look() -> None:
            tick()
            if interrupted.is_set():
                raise StepStopped("the build was stopped")

        with contextlib.ExitStack() as stack:
            stack.callback(let_go, mounts)
            stack.callback(self._stubs.close)
            try:
                process = privately(lambda: self._start(mounts, stdio, stack, look), interrupted.set)
            finally:
                close_all(mounts)
            yield process

    def clear(self) -> None:
        """Take back the places that were made for mounts. Raises OSError."""
        self._stubs.clear()

    def _end(self, process: Running) -> None:
        runtime, patience = self._host.runtime, time.monotonic() + _PATIENCE
        while not process.ended(0):
            # Deleted before the runtime has noted it all, it would run on, and nothing would know of it.
            if runtime.state(self._id) is not None or time.monotonic() > patience:
                runtime.delete(self._id)
            process.ended(_PAUSE)
        runtime.delete(self._id)
        if parent := document.cgroup_parent(self._wish):
            cgroup.remove(self._host.runtime.group(self._id, parent))

    def _start(
        self,
        mounts: tuple[Mount, ...],
        stdio: Stdio,
        stack: contextlib.ExitStack,
        tick: Callable[[], None],
    ) -> Running:
        """Among mounts of our own: put the root together, and start the command."""
        files.make_directory(self._private)
        attach.attach([_PRIVATE], self._private)
        rootfs = f"{self._private}/rootfs"
        files.make_directory(rootfs)
        attach.attach([_volatile(mount) for mount in mounts], rootfs)
        root = os.open(rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        stack.callback(os.close, root)
        trees = Trees(
            self._host, self._id, f"{self._private}/trees", self._host.scratch(self._id), stack
        )
        self.keys = trees.keys
        furnished = Furnishing(
            self._host, self._wish, private=self._private, trees=trees, stack=stack, tick=tick
        ).furnish()
        self._write_document(furnished, root, rootfs)
        tick()
        process = self._host.runtime.run(self._id, self._bundle, stdio)
        # First of all: nothing can be taken away from below a command that runs.
        stack.callback(self._end, process)
        return process

    def _write_document(self, furnished: Furnished, root: int, rootfs: str) -> None:
        """The bundle: the runtime's document, and the files that it names."""
        wish = self._wish
        taken = {mount["destination"] for mount in furnished.mounts}
        own = names.write(self._private, wish.hostname, wish.extra_hosts)
        text = document.document(
            self._host, self._id, wish, root=root, rootfs=rootfs,
            mounts=[*(mount for mount in own if mount["destination"] not in taken), *furnished.mounts],
            variables=furnished.variables, terminal=self._terminal, stubs=self._stubs,
        )  # fmt: skip
        names.write_file(f"{self._private}/config.json", text, mode=0o600)
        # The runtime's log is read from outside; its document, which may hold secrets, is not.
        files.act("symlink", self._bundle)
        os.symlink(f"{self._private}/config.json", f"{self._bundle}/config.json")


def waited(process: Running, tick: Callable[[], None]) -> tuple[int, str]:
    """The exit code, once it has ended; and why the runtime did not start it, "" when it did. `tick` is
    called now and then meanwhile.
    """
    while not process.ended(_PAUSE):
        tick()
    try:
        return process.wait(), ""
    except StartFailed as error:
        return NOT_STARTED, error.reason


def settle(mounts: Iterable[Mount]) -> None:
    """Let a root that was used be mounted once more. Raises OSError.

    Overlayfs refuses one of which no write was awaited, for it may be incomplete after a crash of the
    machine.
    """
    for mount in mounts:
        for key, value in mount.options:
            if key == "workdir":
                files.remove_tree(f"{value}/work/incompat")


def _volatile(mount: Mount) -> Mount:
    """The root without any of its writes awaited: what is worth keeping is synced as a layer. For a command
    that syncs a lot, such as dpkg, this is most of its time.

    Source: Linux Documentation/filesystems/overlayfs.rst, Volatile mount.
    """
    if mount.type != "overlay" or mount.read_only:
        return mount
    return replace(mount, options=(*mount.options, ("volatile", None)))
