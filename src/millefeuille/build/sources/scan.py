"""Scan: a walk over a directory of this host for its names and stats alone, made to take no time.

Nothing is opened but directories, each by its one name in the directory above, links never followed. What is
gone by the time it is looked at was never there.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable
from operator import attrgetter

from millefeuille import kernel
from millefeuille.annotations import Final, Protocol
from millefeuille.build.sources.sieve import Sieve, State, nothing
from millefeuille.errors import Denied, Failed, MilleError

NO_LINKS: Final = kernel.RESOLVE_BENEATH | kernel.RESOLVE_NO_SYMLINKS | kernel.RESOLVE_NO_MAGICLINKS
_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_GONE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESTALE)
_HELD: Final = 64  # levels whose directories are open
_TYPE: Final = 0o170000
_name: Final = attrgetter("name")


class Unreadable(Denied):
    """Something in the build context may not be read."""


class ScanFailed(Failed):
    """Something in the build context cannot be read."""


class Listing:
    """What was found, in order: paths from the root on, what stat says of each, where symlinks lead."""

    __slots__ = ("paths", "statuses", "targets")

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.statuses: list[os.stat_result] = []
        self.targets: dict[int, str] = {}


class _Entry(Protocol):
    """A name in a directory; os.DirEntry, but for directories that were closed meanwhile."""

    @property
    def name(self) -> str: ...

    def stat(self, *, follow_symlinks: bool) -> os.stat_result: ...

    def is_dir(self, *, follow_symlinks: bool) -> bool: ...


class _Again:
    """A name in a directory that was opened again."""

    def __init__(self, directory: int, name: str) -> None:
        self._directory = directory
        self.name = name

    def stat(self, *, follow_symlinks: bool) -> os.stat_result:
        return os.stat(self.name, dir_fd=self._directory, follow_symlinks=follow_symlinks)

    def is_dir(self, *, follow_symlinks: bool) -> bool:
        return stat.S_ISDIR(self.stat(follow_symlinks=follow_symlinks).st_mode)


class _Level:
    """A directory that is being gone through; `entries` are those to come."""

    __slots__ = ("descriptor", "entries", "path", "state")

    def __init__(self, descriptor: int, path: str, state: State) -> None:
        self.descriptor = descriptor
        self.path = path
        self.state = state
        try:
            with os.scandir(descriptor) as found:
                entries: list[_Entry] = list(found)
        except BaseException:
            os.close(descriptor)
            raise
        if "".join([entry.name for entry in entries]).isascii():
            entries.sort(key=_name)
        else:
            entries.sort(key=lambda entry: os.fsencode(entry.name))
        self.entries: Iterable[_Entry] = entries


def scan(root: int, base: str, sieve: Sieve) -> Listing:
    """What is below the directory `base` of the tree `root` that the sieve lets through.

    Depth first, names sorted bytewise. A directory that is not let through is told where something below it
    is. Sockets are left out. Raises Unreadable, ScanFailed.
    """
    return _Scan(root, sieve).run(base)


def open_directory(root: int, path: str) -> int:
    """A descriptor of a directory of the tree, for reading; no link is followed. Raises OSError."""
    return kernel.openat2(root, path or ".", _DIRECTORY, resolve=NO_LINKS)


def refused(error: OSError, path: str) -> MilleError:
    """What went wrong with a path of the context."""
    words = f"open {path or '.'}: {(error.strerror or str(error)).lower()}"
    if error.errno in (errno.EACCES, errno.EPERM):
        return Unreadable(words)
    return ScanFailed(words)


class _Scan:
    def __init__(self, root: int, sieve: Sieve) -> None:
        self._root = root
        self._sieve = sieve
        self._plain = sieve.plain
        self._found = Listing()
        self._levels: list[_Level] = []
        # Directories above the present place that are told once something in them is.
        self._waiting: list[tuple[str, os.stat_result]] = []

    def run(self, base: str) -> Listing:
        try:
            self._enter(open_directory(self._root, base), base, self._sieve.top)
            while self._levels:
                self._go_on()
        except OSError as error:
            raise refused(error, self._levels[-1].path if self._levels else base) from error
        finally:
            for level in self._levels:
                if level.descriptor >= 0:
                    os.close(level.descriptor)
        return self._found

    def _go_on(self) -> None:
        """Take the entries of the present directory up to the next one."""
        level = self._levels[-1]
        if level.descriptor < 0 and not self._reopen(level):
            self._levels.pop()
            return
        found, plain, prefix = self._found, self._plain, f"{level.path}/" if level.path else ""
        fresh = level.entries
        if plain is not None and isinstance(fresh, list) and self._take_files(fresh, plain, prefix):
            self._leave(level)
            return
        level.entries = iter(level.entries)  # what it comes back to is what is left
        paths, statuses = found.paths, found.statuses
        for entry in level.entries:
            path = prefix + entry.name
            try:
                if plain is not None:
                    if plain is not nothing and plain(path):
                        continue
                    status = entry.stat(follow_symlinks=False)
                else:
                    why = self._sieve.why(path, level.state)
                    if why and not (
                        entry.is_dir(follow_symlinks=False) and self._sieve.may_show_below(path, why)
                    ):
                        continue
                    status = entry.stat(follow_symlinks=False)
                    if why:
                        self._waiting.append((path, status))
                        if self._descend(level, entry.name, path):
                            return
                        self._waiting.pop()
                        continue
                kind = status.st_mode & _TYPE
                if kind == stat.S_IFSOCK:
                    continue
                target = os.readlink(entry.name, dir_fd=level.descriptor) if kind == stat.S_IFLNK else ""
            except OSError as error:
                if error.errno in (*_GONE, errno.EINVAL):
                    continue
                raise
            if self._waiting:
                self._tell_waiting()
            if target:
                found.targets[len(paths)] = target
            paths.append(path)
            statuses.append(status)
            if kind == stat.S_IFDIR and self._descend(level, entry.name, path):
                return
        self._leave(level)

    def _take_files(self, entries: list[_Entry], plain: Callable[[str], object], prefix: str) -> bool:
        """Take all of a directory, where it has nothing but files; most have, and this way takes half."""
        paths = [prefix + entry.name for entry in entries]
        if plain is not nothing and any(map(plain, paths)):
            return False
        try:
            statuses = [entry.stat(follow_symlinks=False) for entry in entries]
        except FileNotFoundError:
            return False
        for status in statuses:
            if status.st_mode & _TYPE != stat.S_IFREG:
                return False  # what was told of it by now is kept in the entries
        self._found.paths += paths
        self._found.statuses += statuses
        return True

    def _descend(self, level: _Level, name: str, path: str) -> bool:
        try:
            descriptor = os.open(name, _DIRECTORY, dir_fd=level.descriptor)
        except OSError as error:
            if error.errno in _GONE:
                return False
            raise refused(error, path) from error
        state = level.state if self._plain is not None else self._sieve.passes_on(path, level.state)
        self._enter(descriptor, path, state)
        return True

    def _enter(self, descriptor: int, path: str, state: State) -> None:
        self._levels.append(_Level(descriptor, path, state))
        if len(self._levels) > _HELD:
            above = self._levels[-_HELD - 1]
            if above.descriptor >= 0:
                os.close(above.descriptor)
                above.descriptor = -1

    def _leave(self, level: _Level) -> None:
        self._levels.pop()
        os.close(level.descriptor)
        if self._waiting and self._waiting[-1][0] == level.path:
            self._waiting.pop()

    def _reopen(self, level: _Level) -> bool:
        """Open a directory again that was closed to have fewer open; False when it is gone."""
        try:
            descriptor = level.descriptor = open_directory(self._root, level.path)
        except OSError as error:
            if error.errno in _GONE:
                return False
            raise
        level.entries = iter([_Again(descriptor, entry.name) for entry in level.entries])
        return True

    def _tell_waiting(self) -> None:
        for path, status in self._waiting:
            self._found.paths.append(path)
            self._found.statuses.append(status)
        self._waiting.clear()
