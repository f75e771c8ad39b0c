"""The file-operation seam: every act that changes a disk goes through here.

Two reasons: the order of writes, fsyncs and renames that makes a command durable can be read in one
place, and tests can stop, kill or fail the process at any one of these acts (`hook`).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from _thread import get_ident  # threading takes longer to load
from collections.abc import Callable, Iterable, Iterator

from millefeuille.annotations import Final
from millefeuille.errors import Failed, Unavailable

# Called before every act with its name, the path or descriptor it concerns; None outside of tests.
hook: Callable[[str, object], None] | None = None

LOCK_TIMEOUT: Final = 60.0  # seconds
_PAUSE = 0.01  # seconds between two looks at a lock, at most
_LONGEST: Final = 4096  # bytes; PATH_MAX of Linux, with the NUL at the end
_EDGE: Final = 120  # letters that a message has of either end of a longer path
NO_ROOM: Final = frozenset((errno.ENOSPC, errno.EDQUOT))  # bytes, inodes, or what a user may have of them


class DiskFull(Failed):
    """The file system has no room (bytes, inodes or quota) for what was to be written."""


class ReadOnlyStore(Failed):
    """The file system does not allow writing."""


class LockTimeout(Unavailable):
    """Another process holds a lock for longer than this one is willing to wait."""


def read_regular(path: str, maximum: int) -> bytes:
    """All of a file that people write by hand: one of at most `maximum` bytes, and no pipe, which might never
    end. Raises OSError, also for what is no such file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), path)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", path)
        data = file.read(maximum + 1)
    if len(data) > maximum:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), path)
    return data


def act(name: str, subject: object) -> None:
    """Say that something is about to be done to `subject`; for acts that are not functions here."""
    if hook is not None:
        hook(name, subject)


def create(path: str, mode: int = 0o600, *, exclusive: bool = True) -> int:
    """Open `path` for reading and writing, creating it; the descriptor is the caller's to close."""
    act("create", path)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(path, flags | os.O_EXCL if exclusive else flags, mode)


def create_nameless(directory: str, mode: int = 0o600) -> int | None:
    """A new file that is gone with its descriptor unless `give_name` names it; None where that cannot be."""
    act("create", directory)
    try:
        return os.open(directory, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, mode)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL):
            return None
        raise


def give_name(descriptor: int, path: str) -> None:
    """Name the file that `create_nameless` made; nothing may have that name."""
    act("link", path)
    table = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.link(str(descriptor), path, src_dir_fd=table, follow_symlinks=True)
    finally:
        os.close(table)


def write(descriptor: int, data: bytes | bytearray | memoryview) -> int:
    """Write all of `data` at the file's position; its length in bytes."""
    act("write", descriptor)
    view = memoryview(data).cast("B")
    written = os.write(descriptor, view)
    while written < len(view):
        written += os.write(descriptor, view[written:])
    return written


def begin_writeback(descriptor: int, offset: int, size: int) -> None:
    """Let the disk begin with a range that has been written, so that a later `sync` finds it mostly done.

    Source: posix_fadvise(2); Linux writes dirty pages out before it drops them.
    """
    os.posix_fadvise(descriptor, offset, size, os.POSIX_FADV_DONTNEED)


def truncate(descriptor: int, size: int) -> None:
    """Cut or extend a file to `size` bytes."""
    act("truncate", descriptor)
    os.ftruncate(descriptor, size)


def allocate(descriptor: int, size: int) -> None:
    """Reserve `size` bytes, so that a full disk shows now and not half-way; best effort."""
    act("allocate", descriptor)
    if size <= 0:
        return
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            raise


def sync(descriptor: int) -> None:
    """Flush a file to the disk. An error here is final: never call it again on this descriptor."""
    act("fsync", descriptor)
    os.fsync(descriptor)


def sync_directory(path: str) -> None:
    """Flush the names in a directory to the disk."""
    act("fsync-directory", path)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename(source: str, target: str) -> None:
    """Give a file another name, replacing what is there."""
    act("rename", target)
    os.rename(source, target)


def link(source: str, target: str) -> bool:
    """Give a file a second name; False when that name is taken."""
    act("link", target)
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        return False
    return True


def unlink(path: str) -> None:
    """Remove a file; that it is gone already is no error."""
    act("unlink", path)
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def make_directory(path: str, mode: int = 0o700) -> bool:
    """Make one directory; False when it is there already."""
    if os.path.isdir(path):
        return False
    act("mkdir", path)
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        return False
    return True


def make_directories(path: str) -> None:
    """Make a directory, private to its owner, and those above it that are missing."""
    if path and not os.path.isdir(path):
        make_directories(os.path.dirname(path))
        make_directory(path)


def remove_directory(path: str) -> None:
    """Remove an empty directory; that it is gone already is no error."""
    act("rmdir", path)
    try:
        os.rmdir(path)
    except FileNotFoundError:
        pass


def change_mode(descriptor: int, mode: int) -> None:
    """Set a file's permissions."""
    act("chmod", descriptor)
    os.fchmod(descriptor, mode)


def change_owner(descriptor: int, uid: int, gid: int) -> None:
    """Set a file's owner and group."""
    act("chown", descriptor)
    os.fchown(descriptor, uid, gid)


def change_times(descriptor: int, modified: int) -> None:
    """Set when a file was modified, in nanoseconds since 1970."""
    act("utime", descriptor)
    os.utime(descriptor, ns=(modified, modified))


class TreeMoved(Failed):
    """A tree was changed by somebody else while it was walked."""


def remove_tree(path: str) -> None:
    """Remove a file, or a directory and all below it, however deep, without ever following a link."""
    top = _open_directory(path)
    if top is None:
        unlink(path)
        return
    try:
        for parts, here, names, left in _walk(top):
            for name in names:
                act("unlink", _spelled(path, (*parts, name)))
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=here)
            if left is not None:
                act("rmdir", _spelled(path, (*parts, left)))
                with contextlib.suppress(FileNotFoundError):
                    os.rmdir(left, dir_fd=here)
    finally:
        os.close(top)
    remove_directory(path)


def inodes(path: str) -> Iterator[os.stat_result]:
    """The status of a file, or of a directory and all below it; what goes meanwhile is left out."""
    top = _open_directory(path)
    if top is None:
        with contextlib.suppress(FileNotFoundError):
            yield os.lstat(path)
        return
    try:
        for _, here, names, left in _walk(top):
            if left is None:
                yield os.fstat(here)
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    yield os.stat(name, dir_fd=here, follow_symlinks=False)
    finally:
        os.close(top)


_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def _open_directory(path: str) -> int | None:
    try:
        return os.open(path, _DIRECTORY)
    except OSError as error:
        if error.errno in (errno.ENOTDIR, errno.ELOOP, errno.ENOENT):
            return None
        raise


def _walk(top: int) -> Iterator[tuple[list[str], int, list[str], str | None]]:
    """Every directory below an open one: its place, itself, what it has but for directories, and None.

    A directory that is done is told by its parent: the parent's place, itself, nothing, and the name.
    A tree may be deeper than a path can be long, than Python may recurse, and than descriptors last: one
    descriptor goes down and up again, and holds each time that it has come back to where it was.
    """
    here, parts = os.dup(top), list[str]()
    stack: list[tuple[tuple[int, int], list[str]]] = []
    try:
        names, below = _listed(here)
        stack.append((_identity(here), below))
        yield parts, here, names, None
        while stack:
            if below := stack[-1][1]:
                name = below.pop()
                try:
                    child = os.open(name, _DIRECTORY, dir_fd=here)
                except (FileNotFoundError, NotADirectoryError):
                    continue
                os.close(here)
                here = child
                names, deeper = _listed(here)
                stack.append((_identity(here), deeper))
                parts.append(name)
                yield parts, here, names, None
                continue
            stack.pop()
            if stack:
                parent = os.open("..", _DIRECTORY, dir_fd=here)
                os.close(here)
                here = parent
                if _identity(here) != stack[-1][0]:
                    raise TreeMoved(f"{'/'.join(parts)}: moved away while it was looked through")
                left = parts.pop()
                yield parts, here, [], left
    finally:
        os.close(here)


def _listed(directory: int) -> tuple[list[str], list[str]]:
    """What is in a directory: all but directories, and these."""
    names: list[str] = []
    directories: list[str] = []
    with os.scandir(directory) as entries:
        for entry in entries:
            (directories if entry.is_dir(follow_symlinks=False) else names).append(entry.name)
    return names, directories


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def _spelled(path: str, parts: Iterable[str]) -> str:
    # Only a hook reads it, and a deep tree has long names.
    return path if hook is None else "/".join((path, *parts))


def replace_file(path: str, data: bytes, mode: int = 0o600, *, lasting: bool = True) -> None:
    """Write `data` under `path` so that a reader, or a crash, sees the old or the new, never a part.

    What is not `lasting` means nothing after a boot: it is not waited for until the disk has it. An error has
    this path.
    """
    try:
        put_in_place(write_beside(path, data, mode, lasting=lasting), path, lasting=lasting)
    except OSError as error:
        if error.filename is None or str(error.filename).startswith(f"{path}.tmp-"):
            error.filename = path
        raise


def write_beside(path: str, data: bytes, mode: int = 0o600, *, lasting: bool = True) -> str:
    """Write `data` under a name beside `path`, from where `put_in_place` takes it; that name. When it fails,
    nothing is left.
    """
    temporary = f"{path}.tmp-{os.getpid()}-{get_ident()}"
    unlink(temporary)
    descriptor = create(temporary, mode)
    try:
        write(descriptor, data)
        if lasting:
            sync(descriptor)
    except BaseException:
        os.close(descriptor)
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    os.close(descriptor)
    return temporary


def put_in_place(temporary: str, path: str, *, lasting: bool = True) -> None:
    """Give what `write_beside` wrote its name; no room is needed for it."""
    rename(temporary, path)
    if lasting:
        sync_directory(os.path.dirname(path) or ".")


def _opened(path: str) -> int | None:
    """The descriptor that a path means; None for any other."""
    named = {"/dev/stdout": 1, "/dev/stderr": 2}.get(path)
    directory, _, name = path.rpartition("/")
    if named is None and directory in ("/dev/fd", "/proc/self/fd") and name.isdecimal():
        named = int(name)
    return named


def put_file(path: str, data: bytes) -> None:
    """Write `data` to where a user wants it: a file as by `replace_file`, a pipe or a device as it is, and an
    open descriptor, `/dev/stdout` say, where it stands.

    Raises Failed, DiskFull.
    """
    try:
        opened = _opened(path)
        if opened is None and (not os.path.exists(path) or os.path.isfile(path)):
            replace_file(os.path.realpath(path), data, 0o644)
            return
        descriptor = os.dup(opened) if opened is not None else os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            write(descriptor, data)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise explain(error, path) from error
        raise Failed(f"{path}: {(error.strerror or str(error)).lower()}") from error


def open_lock(path: str) -> int:
    """Open a file that is there for its lock; the descriptor is the caller's. Raises OSError."""
    flags = os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags | os.O_RDWR)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return os.open(path, flags | os.O_RDONLY)


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Take a flock without waiting; False when another process holds it."""
    act("flock", descriptor)
    return _take(descriptor, shared)


def _take(descriptor: int, shared: bool) -> bool:
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock(descriptor: int, what: str, *, shared: bool = False, timeout: float = LOCK_TIMEOUT) -> None:
    """Take a flock, waiting up to `timeout` seconds. Raises LockTimeout, which names `what`."""
    deadline = time.monotonic() + timeout
    pause = 0.001
    act("flock", descriptor)  # once, however often it takes to get it
    while not _take(descriptor, shared):
        if time.monotonic() > deadline:
            raise LockTimeout(f"{what} is held by another process for more than {timeout:.0f} seconds")
        time.sleep(pause)
        pause = min(pause * 1.5, _PAUSE)  # who looks seldom gets no turn beside one that is always busy


@contextlib.contextmanager
def locked(path: str, what: str, *, shared: bool = False, timeout: float = LOCK_TIMEOUT) -> Iterator[int]:
    """Hold the flock of the file at `path` (made when absent)."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        lock(descriptor, what, shared=shared, timeout=timeout)
        yield descriptor
    finally:
        release(descriptor)


def release(descriptor: int) -> None:
    """Drop the flock of a file, if this process has one on it, and close it.

    Closing is not enough: a process that another thread has forked meanwhile has the lock as well, as long as
    it lives, for it belongs to the open file and not to a process. Source: flock(2).
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def explain(error: OSError, what: str, *, root: str = "") -> Failed:
    """The one-line error for an operating system error on `what`.

    Advice that is about the store comes with one that concerns what lies below `root`, the store's or a
    directory of it, or above; without `root` none does.
    """
    helps = bool(root) and _concerns(error, root)
    what = _brief(what)
    if error.errno in NO_ROOM:
        return DiskFull(f"{what}: no space left on device", advice=_room(error, helps=helps))
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return ReadOnlyStore(
            f"{what}: {(error.strerror or 'not permitted').lower()}",
            advice="Choose a writable store with --root or MILLE_ROOT." if helps else None,
        )
    return Failed(f"{what}: {(error.strerror or str(error)).lower()}")


def _brief(path: str) -> str:
    """A path with its middle left out where Linux takes none that long: a container can make such ones."""
    is_long = len(path.encode(errors="replace")) >= _LONGEST
    return f"{path[:_EDGE]}…{path[-_EDGE:]}" if is_long else path


def _concerns(error: OSError, root: str) -> bool:
    """Whether it is about the store: something in it, or a directory that it is to lie in."""
    path = error.filename if isinstance(error.filename, str) else root
    return f"{path}/".startswith(f"{root}/") or f"{root}/".startswith(f"{path}/")


@contextlib.contextmanager
def about(path: str) -> Iterator[None]:
    """Give an operation on the open file at `path` that fails the path, as one on a path has it."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = path
        raise


@contextlib.contextmanager
def explained(what: str, *, root: str = "") -> Iterator[None]:
    """Say what it was about when an operation on an open file fails; one on a path says so itself. `root` is
    as in `explain`.
    """
    try:
        yield
    except OSError as error:
        if error.filename is not None:
            raise
        raise explain(error, what, root=root) from error


def _room(error: OSError, *, helps: bool) -> str | None:
    path = error.filename if isinstance(error.filename, str) else None
    while path and not os.path.exists(path):
        path = os.path.dirname(path)
    advice = ["Free some with `mille image prune` or `mille system prune`."] if helps else []
    if path:
        free = os.statvfs(path)
        advice.insert(0, f"{free.f_bavail * free.f_frsize} bytes and {free.f_favail} inodes are free.")
    return " ".join(advice) or None
