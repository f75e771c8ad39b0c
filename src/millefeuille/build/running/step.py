"""Step: one command put together and started, in a root and among mounts that only it has.

    in memory: private directory ─► root ─► mounts of the wish ─► spec ─► start … end ─► stubs taken back

All that is mounted goes with the command. What holds secrets lies on a file system in memory there, which
nobody else sees.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.build.running import document, names
from millefeuille.build.running.host import RunHost
from millefeuille.build.running.mounts import Furnishing
from millefeuille.build.running.stubs import Stubs
from millefeuille.build.running.trees import Trees
from millefeuille.build.running.wish import RunWish
from millefeuille.runtime import cgroup
from millefeuille.runtime.mountspace import privately
from millefeuille.runtime.runtime import Attached, StartFailed, Stdio
from millefeuille.snapshots import attach
from millefeuille.snapshots.snapshotter import Mount, close_all, let_go
from millefeuille.values import replace

# What the runtime exits with when it could not start the command.
NOT_STARTED: Final = 1
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
    ) -> Iterator[Attached]:
        """Start the command in the root that `mounts` make, which are this function's; it is over when the
        block is left, however that is left.

        In the block the command may be waited for, and then `clear` be called.
        """
        with contextlib.ExitStack() as stack:
            stack.callback(let_go, mounts)
            stack.callback(self._stubs.close)
            try:
                process = privately(lambda: self._start(mounts, stdio, stack, tick))
            finally:
                close_all(mounts)
            # First of all: nothing can be taken away from below a command that runs.
            stack.callback(self._end, process)
            yield process

    def clear(self) -> None:
        """Take back the places that were made for mounts. Raises OSError."""
        self._stubs.clear()

    def _end(self, process: Attached) -> None:
        self._host.runtime.delete(self._id)
        waited(process)
        if parent := document.cgroup_parent(self._wish):
            cgroup.remove(self._host.runtime.group(self._id, parent))

    def _start(
        self,
        mounts: tuple[Mount, ...],
        stdio: Stdio,
        stack: contextlib.ExitStack,
        tick: Callable[[], None],
    ) -> Attached:
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
        return self._host.runtime.run(self._id, self._bundle, stdio)


def waited(process: Attached) -> tuple[int, str]:
    """The exit code, once it has ended; and why the runtime did not start it, "" when it did."""
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
