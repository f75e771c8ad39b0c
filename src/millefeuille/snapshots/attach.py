"""Mount values made real, through the mount API: nothing is parsed, nothing is limited to a page."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Sequence

from millefeuille import files, kernel
from millefeuille.annotations import Final
from millefeuille.errors import Denied, Failed, MilleError
from millefeuille.snapshots.snapshotter import Mount, Option

# The kernel's words (fs/overlayfs/params.c), around a path.
_ON: Final = "filesystem on "
_UNFIT: Final = " not supported as upperdir"

_PLACES: Final = ("lowerdir+", "upperdir", "workdir")  # options that are the path of one directory
_LONGEST: Final = 255  # bytes of a text that the kernel takes
_CHANGED: Final = "\\,"  # overlayfs takes a backslash for an escape, and before Linux 6.5 a comma for an end


class MountFailed(Failed):
    """The kernel refused a mount."""


class NoUpper(MountFailed):
    """Overlayfs can keep no changes on the file system there, as on another overlay."""


class MountDenied(Denied):
    """This process may not mount."""


def detached(type: str, options: Sequence[Option], *, read_only: bool = False) -> int:
    """A detached mount of a new file system; its descriptor. Raises OSError, with the kernel's own words."""
    context = kernel.fsopen(type)
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, context)
        stands_for: dict[str, str] = {}
        try:
            for key, value in options:
                if key in _PLACES and isinstance(value, str) and not _is_plain(value):
                    name = _short(value, stack)
                    stands_for[name], value = value, name
                kernel.configure(context, key, value)
            kernel.create(context)
            return kernel.fsmount(context, kernel.ATTR_RDONLY if read_only else 0)
        except OSError as error:
            words = "; ".join([*kernel.messages(context), error.strerror or "refused"])
            for name in sorted(stands_for, key=len, reverse=True):  # one may begin as another
                words = words.replace(name, stands_for[name])
            raise OSError(error.errno, words, error.filename) from None


def _is_plain(path: str) -> bool:
    """Whether the kernel takes a path as it is."""
    return len(os.fsencode(path)) <= _LONGEST and not any(letter in path for letter in _CHANGED)


def _short(path: str, stack: contextlib.ExitStack) -> str:
    """Another path of a directory, as long as `stack` stands."""
    descriptor = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    stack.callback(os.close, descriptor)
    return f"/proc/self/fd/{descriptor}"


def attach(mounts: Sequence[Mount], root: str) -> tuple[str, ...]:
    """Make `mounts` and attach them in order at `root`; where, for `detach`.

    Raises MountFailed, MountDenied; then none stay.
    """
    done: list[str] = []
    try:
        for mount in mounts:
            target = root + mount.target
            descriptor = _make(mount, target, done)
            try:
                _put(descriptor, target, done)
            except OSError as error:
                raise explain(error, f"attach {mount.type} at {target}") from None
            finally:
                os.close(descriptor)
    except BaseException:
        detach(done)
        raise
    return tuple(done)


def opened(mounts: Sequence[Mount]) -> int:
    """The root that a single mount makes, as a descriptor: attached nowhere, and gone when it is closed.

    Raises MountFailed, MountDenied.
    """
    (mount,) = mounts
    return _make(mount, None, [])


def detach(targets: Sequence[str]) -> None:
    """Detach what was attached at `targets`, the last first; that it is gone already is no error."""
    for target in reversed(targets):
        files.act("unmount", target)
        try:
            kernel.unmount(target, detach=True)
        except OSError:
            pass


def explain(error: OSError, what: str) -> MilleError:
    """The one-line error for a mount that the kernel refused."""
    if isinstance(error, PermissionError):
        return MountDenied(f"{what}: not permitted", advice="Mounting needs root.")
    before, unfit, _ = (error.strerror or "").partition(_UNFIT)
    if unfit:
        path = before.rpartition(_ON)[2]
        return NoUpper(
            f"{what}: overlayfs cannot keep what a container changes on the file system of {path}",
            advice="Put the store on another one, such as a volume or a tmpfs, with `--root` or MILLE_ROOT.",
        )
    return MountFailed(f"{what}: {error.strerror or error}")


def _make(mount: Mount, target: str | None, done: list[str]) -> int:
    """The detached mount that `mount` describes, later at `target`; its descriptor is the caller's."""
    try:
        if mount.type == "bind":
            return _bind(mount)
        options: list[Option] = [("source", mount.source), *mount.options]
        try:
            return detached(mount.type, options, read_only=mount.read_only)
        except OSError as error:
            if error.errno != errno.EINVAL or not any(key == "lowerdir+" for key, _ in options):
                raise
            return _overlay_by_path(options, target, done, read_only=mount.read_only)
    except OSError as error:
        raise explain(error, f"mount {mount.type}") from None


def _bind(mount: Mount) -> int:
    if isinstance(mount.source, int):
        return os.dup(mount.source)
    copy = kernel.open_tree(mount.source)
    if mount.read_only:
        kernel.mount_setattr("", directory=copy, set=kernel.ATTR_RDONLY)
    return copy


def _overlay_by_path(
    options: Sequence[Option], target: str | None, done: list[str], *, read_only: bool
) -> int:  # fmt: skip
    """An overlay where the kernel takes no descriptor for a lower directory (before Linux 6.13), or not one
    that was opened in another mount namespace.

    A single lower mount is attached at the target first, where the overlay will cover it; several are
    directories, and found again under their paths.
    """
    lowers = [value for key, value in options if key == "lowerdir+"]
    if target is not None and len(lowers) == 1 and isinstance(lowers[0], int):
        with contextlib.suppress(OSError):  # an attached directory needs no place
            _put(lowers[0], target, done)
            lowers = [target]
    others = [option for option in options if option[0] != "lowerdir+"]
    with contextlib.ExitStack() as stack:
        paths = [f"/proc/self/fd/{_opened(lower, stack)}" for lower in lowers]
        _forget_attempt(others)
        try:
            # Since Linux 6.8; before, all of them in one text of 255 bytes.
            each = [("lowerdir+", path) for path in paths]
            return detached("overlay", [*each, *others], read_only=read_only)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            _forget_attempt(others)
            return detached("overlay", [("lowerdir", ":".join(paths)), *others], read_only=read_only)


def _forget_attempt(options: Sequence[Option]) -> None:
    """Let a volatile overlay be tried again: what was tried has left the mark by which it is refused.

    Source: Linux Documentation/filesystems/overlayfs.rst, Volatile mount.
    """
    if ("volatile", None) in options:
        for key, value in options:
            if key == "workdir":
                files.remove_tree(f"{value}/work/incompat")


def _opened(lower: str | int | None, stack: contextlib.ExitStack) -> int:
    if isinstance(lower, int):
        path = os.readlink(f"/proc/self/fd/{lower}")
        # Overlayfs takes directories of this thread's own mounts only, and this one may have been opened
        # among others; under its path, the same directory is found here.
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            stack.callback(os.close, descriptor)
            if os.path.samestat(os.fstat(descriptor), os.fstat(lower)):
                return descriptor
        return lower
    descriptor = os.open(str(lower), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    stack.callback(os.close, descriptor)
    return descriptor


def _put(descriptor: int, target: str, done: list[str]) -> None:
    files.act("mount", target)
    kernel.move_mount(descriptor, target)
    done.append(target)
