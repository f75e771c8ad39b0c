"""Paths inside a root, made where they are missing: links lead where they would inside, never out.

One component at a time, each opened without following it, so that nothing can change between a look and an
act.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator

from millefeuille import files, kernel
from millefeuille.annotations import Final
from millefeuille.errors import Invalid

# Told, before something is made, the descriptor of the directory and the name in it.
Witness = Callable[[int, str], None]

_HOPS: Final = 40
_LOOK: Final = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


class UnsafePath(Invalid):
    """A path in the root that cannot be made: it goes through something that is no directory, or in
    circles.
    """


def make_directory(
    root: int,
    path: str,
    *,
    mode: int = 0o755,
    owner: tuple[int, int] = (0, 0),
    witness: Witness | None = None,
) -> str:
    """Make a directory below descriptor `root`, with its parents; its real path inside. `witness` is told of
    each that is missing. Raises UnsafePath.
    """
    return _make(_Walk(root, path, owner, witness), directory=True, mode=mode)


def make_file(root: int, path: str, *, witness: Witness | None = None) -> str:
    """Make an empty file below descriptor `root`, with its parents; its real path inside. Raises
    UnsafePath.
    """
    return _make(_Walk(root, path, (0, 0), witness), directory=False, mode=0o755)


def make_link(root: int, path: str, target: str) -> None:
    """Make a symbolic link to `target` below descriptor `root`, with its parents, where nothing is yet.
    Raises UnsafePath.
    """
    with _parent(root, path) as (directory, name):
        files.act("symlink", path)
        with contextlib.suppress(FileExistsError):
            os.symlink(target, name, dir_fd=directory)


def clear(root: int, path: str) -> None:
    """Remove what is at a path below descriptor `root`, itself and not what it leads to, unless that is a
    directory or a file without content; its parents are made. Raises UnsafePath.
    """
    with _parent(root, path) as (directory, name):
        try:
            status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        except FileNotFoundError:
            return
        is_empty = stat.S_ISREG(status.st_mode) and not status.st_size
        if not is_empty and not stat.S_ISDIR(status.st_mode):
            files.act("unlink", path)
            os.unlink(name, dir_fd=directory)


@contextlib.contextmanager
def _parent(root: int, path: str) -> Iterator[tuple[int, str]]:
    """The directory that a path lies in, made where it is missing, and its name there."""
    parent, _, name = path.rpartition("/")
    real = make_directory(root, parent)
    flags = os.O_PATH | os.O_DIRECTORY
    try:
        directory = kernel.openat2(root, real.lstrip("/") or ".", flags, resolve=kernel.RESOLVE_IN_ROOT)
    except NotADirectoryError:
        raise UnsafePath(f"{path}: not a directory") from None
    try:
        yield directory, name
    finally:
        os.close(directory)


def _make(walk: _Walk, *, directory: bool, mode: int) -> str:
    try:
        while walk.pending:
            name = walk.pending.pop()
            if name == "..":
                walk.leave()
            elif name not in ("", "."):
                is_last = not any(part not in ("", ".") for part in walk.pending)
                if not walk.enter(name, mode, file=is_last and not directory):
                    break
        return "/" + "/".join(walk.names)
    finally:
        walk.close()


class _Walk:
    """A place below the root, as open directories from the top; `pending` is what is left, the next one
    last.
    """

    def __init__(
        self, root: int, path: str, owner: tuple[int, int], witness: Witness | None = None
    ) -> None:
        if "\0" in path:
            raise UnsafePath("a path with a zero byte")
        self.pending = path.split("/")[::-1]
        self.names: list[str] = []
        self._path = path
        self._owner = owner
        self._witness = witness
        self._open = [os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=root)]
        self._hops = 0

    def enter(self, name: str, mode: int, *, file: bool) -> bool:
        """Go to `name`, or where it leads; False when it is a file, and the end."""
        try:
            found = os.open(name, _LOOK, dir_fd=self._open[-1])
        except FileNotFoundError:
            found = self._create(name, mode, file=file)
        except OSError as error:
            raise UnsafePath(f"{self._path}: {(error.strerror or 'unusable').lower()}") from None
        kind = os.fstat(found).st_mode
        if stat.S_ISLNK(kind):
            self._follow(found)
            return True
        self.names.append(name)
        self._open.append(found)
        if stat.S_ISDIR(kind):
            return True
        if any(part not in ("", ".") for part in self.pending):
            raise UnsafePath(f"{self._path}: not a directory")
        return False

    def leave(self) -> None:
        """Go up; from the top there is no way up."""
        if self.names:
            self.names.pop()
            os.close(self._open.pop())

    def close(self) -> None:
        while self._open:
            os.close(self._open.pop())

    def _follow(self, link: int) -> None:
        try:
            target = os.readlink("", dir_fd=link)
        finally:
            os.close(link)
        self._hops += 1
        if self._hops > _HOPS:
            raise UnsafePath(f"{self._path}: {os.strerror(errno.ELOOP).lower()}")
        self.pending += target.split("/")[::-1]
        if target.startswith("/"):
            while self.names:
                self.leave()

    def _create(self, name: str, mode: int, *, file: bool) -> int:
        files.act("create" if file else "mkdir", self._path)
        parent = self._open[-1]
        if self._witness is not None:
            self._witness(parent, name)
        if file:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            made = os.open(name, flags, mode, dir_fd=parent)
        else:
            os.mkdir(name, mode, dir_fd=parent)
            made = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        try:
            os.fchown(made, *self._owner)
            os.fchmod(made, mode)
        finally:
            os.close(made)
        return os.open(name, _LOOK, dir_fd=parent)
