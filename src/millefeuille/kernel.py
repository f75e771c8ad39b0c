"""Linux system calls that Python lacks: the mount API by descriptors, namespaces, openat2, loop devices.

Thin: one function, one call. All raise OSError with the kernel's errno; what it means is the caller's to say.
Descriptors returned are the caller's to close, and are closed on exec.

Source: Linux man-pages (fsopen, fsconfig, fsmount, move_mount, open_tree, mount_setattr, openat2, loop).
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct

from millefeuille.annotations import Final

CLONE_FS: Final = 0x00000200
CLONE_NEWNS: Final = 0x00020000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWNET: Final = 0x40000000

ATTR_RDONLY: Final = 0x1  # fsmount and mount_setattr
ATTR_NOSUID: Final = 0x2
ATTR_NODEV: Final = 0x4

MS_SLAVE: Final = 1 << 19  # propagation

MNT_DETACH: Final = 2

RESOLVE_NO_XDEV: Final = 0x01  # openat2
RESOLVE_NO_MAGICLINKS: Final = 0x02
RESOLVE_NO_SYMLINKS: Final = 0x04
RESOLVE_BENEATH: Final = 0x08
RESOLVE_IN_ROOT: Final = 0x10

_AT_FDCWD: Final = -100
_AT_EMPTY_PATH: Final = 0x1000
_AT_RECURSIVE: Final = 0x8000

# The same on every architecture Linux has, but alpha.
_OPEN_TREE: Final = 428
_MOVE_MOUNT: Final = 429
_FSOPEN: Final = 430
_FSCONFIG: Final = 431
_FSMOUNT: Final = 432
_OPENAT2: Final = 437
_MOUNT_SETATTR: Final = 442

_NS_GET_USERNS: Final = 0xB701

_PR_SET_CHILD_SUBREAPER: Final = 36
_PR_SET_PDEATHSIG: Final = 1

_SET_FLAG: Final = 0
_SET_STRING: Final = 1
_SET_FD: Final = 5
_CREATE: Final = 6

_LOOP_CONFIGURE: Final = 0x4C0A
_LOOP_GET_FREE: Final = 0x4C82
_LOOP_READ_ONLY_AUTOCLEAR: Final = 1 | 4
_LOOP_CONFIG: Final = struct.Struct("<II52xI176x64x")  # struct loop_config: fd, block size, …, flags, …

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def _call(name: str, number: int, *arguments: int | bytes | None) -> int:
    values = [ctypes.c_long(item) if isinstance(item, int) else item for item in arguments]
    result: int = _libc.syscall(ctypes.c_long(number), *values)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)
    return result


def fsopen(type: str) -> int:
    """A descriptor on which a new file system of `type` is configured."""
    return _call("fsopen", _FSOPEN, type.encode(), 1)


def configure(context: int, key: str, value: str | int | None = None) -> None:
    """Set one parameter: a text of at most 255 bytes, a file descriptor, or None for a flag."""
    name = key.encode()
    if value is None:
        _call(f"fsconfig {key}", _FSCONFIG, context, _SET_FLAG, name, None, 0)
    elif isinstance(value, int):
        _call(f"fsconfig {key}", _FSCONFIG, context, _SET_FD, name, None, value)
    else:
        _call(f"fsconfig {key}", _FSCONFIG, context, _SET_STRING, name, os.fsencode(value), 0)


def create(context: int) -> None:
    """Make the file system that `context` describes."""
    _call("fsconfig create", _FSCONFIG, context, _CREATE, None, None, 0)


def messages(context: int) -> list[str]:
    """What the kernel has to say about a configuration, without its severity letters."""
    lines: list[str] = []
    while True:
        try:
            line = os.read(context, 4096)
        except OSError:
            return lines
        lines.append(line.decode(errors="replace").strip()[2:])


def fsmount(context: int, attributes: int = 0) -> int:
    """A detached mount of the file system made on `context`. It is gone when its last descriptor is."""
    return _call("fsmount", _FSMOUNT, context, 1, attributes)


def move_mount(mount: int, path: str) -> None:
    """Attach a detached mount at `path`; `mount` stays open and refers to the attached mount."""
    _call("move_mount", _MOVE_MOUNT, mount, b"", _AT_FDCWD, os.fsencode(path), 4)


def move_mount_onto(mount: int, place: int) -> None:
    """Attach a detached mount at what the O_PATH descriptor `place` refers to, whatever its path leads to."""
    _call("move_mount", _MOVE_MOUNT, mount, b"", place, b"", 4 | 0x40)


def open_tree(path: str, *, directory: int = _AT_FDCWD) -> int:
    """A detached copy of the mount at `path` ("" for that of `directory`)."""
    flags = 1 | os.O_CLOEXEC | (0 if path else _AT_EMPTY_PATH)
    return _call("open_tree", _OPEN_TREE, directory, os.fsencode(path), flags)


def mount_setattr(
    path: str,
    *,
    directory: int = _AT_FDCWD,
    set: int = 0,
    clear: int = 0,
    propagation: int = 0,
    recursive: bool = False,
) -> None:
    """Change a mount's attributes or its propagation, with all mounts below it when `recursive`."""
    flags = (0 if path else _AT_EMPTY_PATH) | (_AT_RECURSIVE if recursive else 0)
    attributes = struct.pack("=QQQQ", set, clear, propagation, 0)
    _call("mount_setattr", _MOUNT_SETATTR, directory, os.fsencode(path), flags, attributes, len(attributes))


def unmount(path: str, *, detach: bool = False) -> None:
    """Detach the topmost mount at `path`, never following a link; `detach` does so even when it is busy."""
    flags = 8 | (MNT_DETACH if detach else 0)
    if _libc.umount2(os.fsencode(path), flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), path)


def unshare(flags: int) -> None:
    """Give the calling thread, and what it starts, namespaces of its own."""
    if _libc.unshare(flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "unshare")


def end_with_parent(signal: int) -> None:
    """Have the kernel send this process a signal when the thread that started it ends (prctl(2))."""
    if _libc.prctl(_PR_SET_PDEATHSIG, signal, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "prctl")


def collect_orphans() -> None:
    """Have this process be the parent of what its descendants leave behind when they end (prctl(2))."""
    if _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "prctl")


def syncfs(descriptor: int) -> None:
    """Flush the whole file system that holds an open file to its disk."""
    if _libc.syncfs(descriptor) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "syncfs")


def enter_namespace(descriptor: int, kind: int) -> None:
    """Put the calling thread into the namespace, of the kind CLONE_…, that `descriptor` refers to."""
    if _libc.setns(descriptor, kind) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "setns")


def owner_of_namespace(descriptor: int) -> int:
    """A descriptor of the user namespace that a namespace belongs to; EPERM for one above this process's."""
    return fcntl.ioctl(descriptor, _NS_GET_USERNS)


def file_system(descriptor: int) -> int:
    """The magic number of the file system that a file lies on (statfs(2))."""
    status = (ctypes.c_long * 32)()  # struct statfs begins with it, and is shorter than this everywhere
    if _libc.fstatfs(descriptor, ctypes.byref(status)) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), "fstatfs")
    return int(status[0])


def openat2(directory: int, path: str | bytes, flags: int, *, resolve: int, mode: int = 0) -> int:
    """Open `path` below `directory` under the rules of `resolve`, again when a rename came between."""
    how = struct.pack("=QQQ", flags | os.O_CLOEXEC, mode, resolve)
    for _ in range(100):
        try:
            return _call("openat2", _OPENAT2, directory, os.fsencode(path), how, len(how))
        except OSError as error:
            if error.errno != errno.EAGAIN:
                raise OSError(error.errno, error.strerror, os.fsdecode(path)) from None
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN), os.fsdecode(path))


def loop_device(descriptor: int) -> tuple[str, int]:
    """A read-only block device over a file: its path, and a descriptor.

    The device frees itself when that descriptor is closed and nothing has it mounted.
    """
    control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    try:
        while True:
            path = f"/dev/loop{fcntl.ioctl(control, _LOOP_GET_FREE)}"
            device = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                config = _LOOP_CONFIG.pack(descriptor, 512, _LOOP_READ_ONLY_AUTOCLEAR)
                fcntl.ioctl(device, _LOOP_CONFIGURE, config)
                return path, device
            except OSError as error:
                os.close(device)
                # Another process was faster with this device; the next free one is asked for.
                if error.errno != errno.EBUSY:
                    raise
    finally:
        os.close(control)
