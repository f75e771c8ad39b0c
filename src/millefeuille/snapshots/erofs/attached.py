"""Attached: one mount of a chain for all that use it, so that they share its page cache.

    <directory>/lock              held while a chain is attached or let go
               /<chain hex>/users locked, shared, by every user; says of which files the mount was made
                           /root  where the mount is attached

What is in use is told by locks: the kernel drops them with the last process that inherited the descriptor,
however it ends. A mount whose users are gone stays until somebody calls `release_idle`; one that was cut
off half-way, or whose files were made again since, is made anew. Nothing of it outlives a boot.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

from millefeuille import files, kernel
from millefeuille.annotations import TypeVar
from millefeuille.later import Later
from millefeuille.snapshots import attach
from millefeuille.snapshots.chain import Chain
from millefeuille.snapshots.erofs.mount import mount_chain

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
else:  # which is needed by who enters a namespace
    threading = Later("threading")

T = TypeVar("T")

_WHAT = "the directory of mounted chains"


class Attached:
    """The chains attached below `directory`, which lies where nothing outlives a boot."""

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def acquire(self, chain: Chain) -> tuple[int, int]:
        """A detached copy of the chain's one mount, and the lock that says that it is used.

        Both descriptors are the caller's. The second is to be kept, here or in a process that inherits it,
        as long as the chain is used. Raises MountFailed, MountDenied, TruncatedLayer, LockTimeout, OSError.
        """
        return _outside(lambda: self._acquire(chain))

    def release_idle(self) -> list[str]:
        """Unmount the chains that nobody uses; their hex digests. Chains in use are left alone."""
        if not os.path.isdir(self._directory):
            return []
        return _outside(self._release_idle)

    def _acquire(self, chain: Chain) -> tuple[int, int]:
        files.make_directories(self._directory)
        path = f"{self._directory}/{chain.id.hex}"
        with files.locked(f"{self._directory}/lock", _WHAT):
            files.make_directory(path)
            files.make_directory(f"{path}/root")
            hold = files.create(f"{path}/users", exclusive=False)
            try:
                files.lock(hold, f"chain {chain.id.short}", shared=True)
                return _copy(chain, path, hold), hold
            except BaseException:
                os.close(hold)
                raise

    def _release_idle(self) -> list[str]:
        released = []
        with files.locked(f"{self._directory}/lock", _WHAT):
            for name in sorted(os.listdir(self._directory)):
                if name != "lock" and _forget(f"{self._directory}/{name}"):
                    released.append(name)
        return released


def _copy(chain: Chain, path: str, hold: int) -> int:
    """A detached copy of the mount at `path`, which is made first where it is missing or outdated."""
    identity = _identity(chain)
    recorded = os.pread(hold, len(identity) + 1, 0)
    if recorded != identity or not _is_mounted(path):
        # Who uses the outdated one has a copy, which stays.
        attach.detach([f"{path}/root"] if _is_mounted(path) else [])
        with files.about(f"{path}/users"):
            files.truncate(hold, 0)
            os.lseek(hold, 0, os.SEEK_SET)
            files.write(hold, identity)
        descriptor, _ = mount_chain(chain)
        try:
            files.act("mount", path)
            kernel.move_mount(descriptor, f"{path}/root")
        except OSError as error:
            raise attach.explain(error, f"attach chain {chain.id.short}") from None
        finally:
            os.close(descriptor)
    try:
        return kernel.open_tree(f"{path}/root")
    except OSError as error:
        raise attach.explain(error, f"chain {chain.id.short}") from None


def _forget(path: str) -> bool:
    """Unmount a chain and remove what is known of it, unless somebody uses it."""
    users = None
    try:
        with contextlib.suppress(FileNotFoundError):  # cut off before it was made
            users = os.open(f"{path}/users", os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        if users is not None and not files.try_lock(users):
            return False
        if _is_mounted(path):
            attach.detach([f"{path}/root"])
        files.remove_directory(f"{path}/root")
        files.unlink(f"{path}/users")
        files.remove_directory(path)
        return True
    finally:
        if users is not None:
            os.close(users)


def _identity(chain: Chain) -> bytes:
    """Which files a mount is made of: they may be made again, after a repair or a removal."""
    lines = []
    for file in (chain.metadata, *(layer.path for layer in chain.layers)):
        status = os.stat(file)
        lines.append(f"{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns}\n")
    return "".join(lines).encode()


def _is_mounted(path: str) -> bool:
    try:
        return os.stat(f"{path}/root").st_dev != os.stat(path).st_dev
    except FileNotFoundError:
        return False


def _outside(work: Callable[[], T]) -> T:
    """Do `work` among the mounts of the process, when this thread has left for a namespace of its own.

    A chain attached there would be seen by nobody else, and be gone with it.
    """
    inside = os.readlink("/proc/thread-self/ns/mnt")
    if inside == os.readlink("/proc/self/ns/mnt"):
        return work()
    namespace = os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    results: list[T] = []
    failures: list[BaseException] = []

    def enter() -> None:
        try:
            kernel.unshare(kernel.CLONE_FS)  # a thread that shares its directories cannot leave alone
            kernel.enter_namespace(namespace, kernel.CLONE_NEWNS)
            results.append(work())
        except BaseException as error:
            failures.append(error)

    try:
        thread = threading.Thread(target=enter, name="chains")
        thread.start()
        thread.join()
    finally:
        os.close(namespace)
    if failures:
        raise failures[0]
    return results[0]
