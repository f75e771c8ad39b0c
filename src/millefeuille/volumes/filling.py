"""Filling: what an image has where a new volume is mounted becomes the volume's first content.

    copied into `_filling.part` ─► renamed `_filling` ─► entry by entry into `_data` ─► owner and mode

Whoever is killed on the way leaves either an incomplete copy, which is made again, or a complete one, which
is moved on. Containers that already have the volume see it fill; its directory stays the same. A directory of
the host's that a volume stands for may lie on another file system: then all is copied once more, within it.

The image's tree may be hostile: it is only ever walked by descriptors, no link is followed, and what is
opened for its bytes is known to be a regular file. Source: CVE-2022-23648; openat2(2).
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable

from millefeuille import files, kernel
from millefeuille.annotations import Final
from millefeuille.errors import Invalid

_PART: Final = "_filling.part"
_WHOLE: Final = "_filling"
_DATA: Final = "_data"
_CHUNK: Final = 1 << 20
_DEEPEST: Final = 200


class NoDirectory(Invalid):
    """What is at a volume's place, or above it, is a file."""


class TooDeep(Invalid):
    """The directories at a volume's place lie within each other too deeply."""


def is_due(directory: str, data: str = "") -> bool:
    """Whether `fill` would look for content for the volume. Raises OSError."""
    return not os.listdir(data or f"{directory}/{_DATA}") or os.path.isdir(f"{directory}/{_WHOLE}")


def fill(directory: str, root: int, target: str, *, data: str = "") -> bool:
    """Fill the volume in `directory`, if it is empty, from `target` in the tree with the descriptor `root`.
    `data` is where its content lies, when not in `directory`.

    True when there was something to take over. Raises NoDirectory, TooDeep, OSError.
    """
    bound, data = bool(data), data or f"{directory}/{_DATA}"
    with files.locked(f"{directory}/lock", f"the volume {os.path.basename(directory)}"):
        if os.path.isdir(f"{directory}/{_WHOLE}"):
            if bound:
                files.remove_tree(f"{data}/{_PART}")
            _move(directory, data)
        if os.listdir(data):
            return False
        try:
            flags = os.O_RDONLY | os.O_DIRECTORY
            source = kernel.openat2(root, target, flags, resolve=kernel.RESOLVE_IN_ROOT)
        except NotADirectoryError as error:
            raise NoDirectory(f"{target} is not a directory") from error
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP):
                return False
            raise
        try:
            _copy(source, directory)
        finally:
            os.close(source)
        _move(directory, data)
        return True


def copy_tree(source: int, target: int) -> None:
    """Copy what is in the directory `source`, a descriptor, into the empty one `target`, and its attributes.

    Raises TooDeep, OSError.
    """
    _Copy(target).tree(source, target, 0)


def _copy(source: int, directory: str) -> None:
    part = f"{directory}/{_PART}"
    os.close(_copied(source, part))
    files.rename(part, f"{directory}/{_WHOLE}")


def _copied(source: int, part: str) -> int:
    """Copy what is in the directory `source` to `part`, in place of what is there; the copy's descriptor."""
    files.remove_tree(part)
    files.make_directory(part)
    target = _opened(part)
    try:
        copy_tree(source, target)
        files.sync(target)
    except BaseException:
        os.close(target)
        raise
    return target


def _move(directory: str, data: str) -> None:
    """Bring a complete copy to where it belongs."""
    whole = f"{directory}/{_WHOLE}"
    source = _opened(whole)
    try:
        target = _opened(data, follow=True)
        try:
            _bring(source, target, data)
            _attributes(source, target)
            files.sync(target)
        finally:
            os.close(target)
    finally:
        os.close(source)
    files.remove_tree(whole)


def _bring(source: int, target: int, data: str) -> None:
    """Bring what is in the directory `source` into `target`, whose path is `data`."""
    try:
        _move_entries(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # Containers may write there meanwhile: what was copied is known by its descriptor alone.
        copy = _copied(source, f"{data}/{_PART}")
        try:
            _move_entries(copy, target)
        finally:
            os.close(copy)
        files.remove_tree(f"{data}/{_PART}")


def _move_entries(source: int, target: int) -> None:
    there = {*os.listdir(target)}  # brought there before a kill, or somebody else's by now
    for name in sorted({*os.listdir(source)} - there):
        files.act("rename", name)
        os.rename(name, name, src_dir_fd=source, dst_dir_fd=target)


def _opened(path: str, *, follow: bool = False) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW))


class _Copy:
    """One copy of a tree; names of one file stay names of one file."""

    def __init__(self, base: int) -> None:
        self._base = base
        self._known: dict[tuple[int, int], str] = {}

    def tree(self, source: int, target: int, depth: int, path: str = "") -> None:
        """Copy what is in the directory `source` into `target`, and its attributes."""
        if depth > _DEEPEST:
            raise TooDeep(f"directories lie within each other more than {_DEEPEST} deep")
        for name in sorted(os.listdir(source)):
            self._entry(source, target, name, depth, f"{path}/{name}" if path else name)
        _attributes(source, target)

    def _entry(self, source: int, target: int, name: str, depth: int, path: str) -> None:
        # O_PATH opens nothing: a device is not touched, a pipe is not waited for.
        looked = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=source)
        try:
            found = os.fstat(looked)
            first = self._known.setdefault((found.st_dev, found.st_ino), path)
            if first != path and not stat.S_ISDIR(found.st_mode):
                files.act("link", path)
                os.link(first, name, src_dir_fd=self._base, dst_dir_fd=target, follow_symlinks=False)
                return
            files.act("copy", path)
            self._make(looked, found, target, name, depth, path)
        finally:
            os.close(looked)

    def _make(
        self, looked: int, found: os.stat_result, target: int, name: str, depth: int, path: str
    ) -> None:
        if stat.S_ISLNK(found.st_mode):
            os.symlink(os.readlink("", dir_fd=looked), name, dir_fd=target)
            os.chown(name, found.st_uid, found.st_gid, dir_fd=target, follow_symlinks=False)
            os.utime(name, ns=_times(found), dir_fd=target, follow_symlinks=False)
        elif stat.S_ISDIR(found.st_mode):
            os.mkdir(name, 0o700, dir_fd=target)
            self._both(looked, os.O_DIRECTORY, target, name, lambda s, t: self.tree(s, t, depth + 1, path))
        elif stat.S_ISREG(found.st_mode):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            os.close(os.open(name, flags, 0o600, dir_fd=target))
            self._both(looked, 0, target, name, _bytes)
        elif not stat.S_ISSOCK(found.st_mode):
            os.mknod(name, found.st_mode, found.st_rdev, dir_fd=target)
            os.chown(name, found.st_uid, found.st_gid, dir_fd=target, follow_symlinks=False)
            made = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=target)
            try:
                _extended(f"/proc/self/fd/{looked}", f"/proc/self/fd/{made}")
                os.chmod(f"/proc/self/fd/{made}", stat.S_IMODE(found.st_mode))
            finally:
                os.close(made)
            os.utime(name, ns=_times(found), dir_fd=target, follow_symlinks=False)

    def _both(self, looked: int, kind: int, target: int, name: str, then: Callable[[int, int], None]) -> None:
        """Open what was looked at, and its copy, for `then`."""
        reading = os.open(f"/proc/self/fd/{looked}", os.O_RDONLY | kind | os.O_CLOEXEC)
        try:
            access = os.O_RDONLY if kind else os.O_WRONLY
            writing = os.open(name, access | kind | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=target)
            try:
                then(reading, writing)
            finally:
                os.close(writing)
        finally:
            os.close(reading)


def _bytes(source: int, target: int) -> None:
    """Copy a regular file with its attributes."""
    while data := os.read(source, _CHUNK):
        files.write(target, data)
    files.sync(target)
    _attributes(source, target)


def _attributes(source: int, target: int) -> None:
    """Give `target` the owner, the extended attributes, the mode and the times of `source`."""
    found = os.fstat(source)
    files.change_owner(target, found.st_uid, found.st_gid)
    _extended(source, target)
    files.change_mode(target, stat.S_IMODE(found.st_mode))  # behind an ACL, which sets the mode
    os.utime(target, ns=_times(found))


def _extended(source: int | str, target: int | str) -> None:
    for name in os.listxattr(source):
        # The overlay's own, or one that this file system does not take: the data is what matters.
        with contextlib.suppress(OSError):
            os.setxattr(target, name, os.getxattr(source, name))


def _times(found: os.stat_result) -> tuple[int, int]:
    return found.st_atime_ns, found.st_mtime_ns
