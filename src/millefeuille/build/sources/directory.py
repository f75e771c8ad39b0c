"""Directory: a directory of this host as a source, the build context above all.

Whatever lies in it, nothing leads out of it: the kernel looks paths up below a descriptor of the root. Only
what an argument names is looked at, and only what the stat cache does not know is opened.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator, Mapping, Sequence

from millefeuille import files, kernel
from millefeuille.annotations import Final
from millefeuille.build.sources import arguments, halves
from millefeuille.build.sources.hidden import hidden
from millefeuille.build.sources.identity import identity
from millefeuille.build.sources.ignore import NOTHING, Ignore
from millefeuille.build.sources.items import Items
from millefeuille.build.sources.reading import REPLACED, ContextChanged, Wanted, is_same
from millefeuille.build.sources.scan import NO_LINKS, Listing, open_directory, refused, scan
from millefeuille.build.sources.sieve import Sieve
from millefeuille.build.sources.source import Item, Match, NotFound
from millefeuille.build.sources.statcache import StatCache
from millefeuille.build.sources.walk import walked
from millefeuille.errors import MilleError, Unsupported
from millefeuille.layers.entry import FILE
from millefeuille.layers.following import follow

_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_READ_WHOLE: Final = 256 << 10  # bytes up to which a file is given as bytes
_NOT_THERE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)


class Uncopyable(Unsupported):
    """An argument of COPY names a socket."""


class DirectorySource:
    """A directory as a Source; close it after the build.

    All that is in it belongs to 0:0. `ignore` is what is not there for anybody. Safe for several threads.
    """

    def __init__(
        self, root: str, *, ignore: Ignore = NOTHING, cache: StatCache | None = None, memory: str = ""
    ) -> None:
        """Open the directory; `memory` is where its listings are kept, see `walk`. Raises OSError."""
        self.descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.root = root
        self._ignore = ignore
        self._cache = cache if cache is not None else StatCache()
        self._memory = memory
        self._spared: list[Listing] = []  # whose files nobody asked the cache for
        self._statuses: dict[bytes, os.stat_result] = {}
        self._lock = threading.Lock()
        self._above, self._place = b"", -1  # the directory whose file was opened last
        self._given: dict[bytes, os.stat_result] = {}

    def __enter__(self) -> DirectorySource:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Save the cache, and close the directory."""
        self.save()
        self._close_place()
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def match(self, pattern: str, *, exclude: Sequence[str] = (), parents: bool = False) -> Sequence[Match]:
        """See Source. Raises NotFound, BadPattern, TooManyLinks, Unreadable, ScanFailed, Uncopyable."""
        base, select = arguments.pivot(pattern) if parents else (pattern, "")
        found: list[Match] = []
        for path in arguments.expanded(base, self._names):
            match = self._one(path, exclude, select)
            if match is not None:
                found.append(match)
        if select and not arguments.has_wildcards(select) and not any(match.items for match in found):
            raise NotFound(arguments.cleaned(pattern))
        return found

    def digest(self, matches: Sequence[Match], *, mode: bool = True) -> str:
        """See Source. Raises ContextChanged, Unreadable, ScanFailed."""
        walk = _items(matches[0]).walk if len(matches) == 1 else None
        if walk is not None and (known := walk.identities.get(mode)):
            self._spared.append(walk.listing)
            return known
        found = identity(
            ((None if match.is_directory else match.name, _items(match).entries()) for match in matches),
            mode=mode,
        )
        if walk is not None:
            walk.remember(found, mode=mode)
        return found

    def open(self, item: Item) -> int | bytes:
        """See Source. Raises ContextChanged, Unreadable, ScanFailed."""
        expected, shown = self._statuses[item.path], os.fsdecode(item.path)
        files.act("read", shown)
        try:
            descriptor = self._opened(item.path)
        except OSError as error:
            raise _changed(error, shown) from error
        try:
            if expected.st_size > _READ_WHOLE:
                if not is_same(os.fstat(descriptor), expected):
                    raise ContextChanged(shown)
                self._given[item.path] = expected
                taken, descriptor = descriptor, -1
                return taken
            # What was read of another file is thrown away: only then it is known to be one.
            data = os.read(descriptor, expected.st_size + 1)
            if len(data) != expected.st_size or not is_same(os.fstat(descriptor), expected):
                raise ContextChanged(shown)
            return data
        except OSError as error:
            raise _changed(error, shown) from error
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    def _opened(self, path: bytes) -> int:
        """A descriptor of a file; those of one directory come one after the other, so it is kept open."""
        above, _, name = path.rpartition(b"/")
        with self._lock:
            if above != self._above or self._place < 0:
                self._close_place()
                self._place = open_directory(self.descriptor, os.fsdecode(above))
                self._above = above
            return os.open(name, _FILE, dir_fd=self._place)

    def _close_place(self) -> None:
        if self._place >= 0:
            os.close(self._place)
            self._place = -1

    def verify(self, matches: Sequence[Match]) -> None:
        """Hold that of these nothing changed that `open` gave a descriptor of; for whoever has read them.

        Raises ContextChanged.
        """
        for path in [item.path for match in matches for item in match.items if item.path in self._given]:
            expected = self._given.pop(path, None)
            if expected is None:
                continue
            try:
                place = kernel.openat2(self.descriptor, path, os.O_PATH | os.O_NOFOLLOW, resolve=NO_LINKS)
            except OSError as error:
                raise ContextChanged(os.fsdecode(path)) from error
            try:
                if not is_same(os.fstat(place), expected):
                    raise ContextChanged(os.fsdecode(path))
            finally:
                os.close(place)

    def content(self, item: Item) -> bytes | None:
        """The blake3 of a file's content where it is known: once a match has had its digest."""
        number = self._cache.find([self._statuses[item.path]])[0]
        return None if number is None or item.entry.kind != FILE else self._cache.content(number)

    def file(self, path: str) -> str | None:
        """Where the file lies that `path`, taken as COPY takes it but without wildcards, leads to: its path
        from the root on, without links. None where there is none, it is left out, or it is no regular file.

        Raises TooManyLinks, Unreadable, ScanFailed.
        """
        found = self._followed(path)
        try:
            status = self._status(found, path)
        except NotFound:
            return None
        return found if stat.S_ISREG(status.st_mode) and not self._ignore.leaves_out(found) else None

    def save(self) -> None:
        """Save what has been learned of files; best effort."""
        self._cache.save(listing.statuses for listing in self._spared)

    def hidden(self, path: str) -> tuple[bytes, ...]:
        """What lies at or below `path` and is left out, without a slash before it; nothing below such."""
        return tuple(hidden(self.root, path, self._ignore)) if self._ignore is not NOTHING else ()

    def facts(self, listing: Listing) -> list[int]:
        """The numbers in the cache of all that was listed, after reading what was not in it."""
        numbers = self._cache.find(listing.statuses)
        wanted = [
            Wanted(n, listing.paths[n], listing.statuses[n])
            for n, number in enumerate(numbers)
            if number is None and stat.S_IFMT(listing.statuses[n].st_mode) in (stat.S_IFREG, stat.S_IFDIR)
        ]
        if wanted:
            self._learn(listing, wanted, numbers)
        return [-1 if number is None else number for number in numbers]

    def cached_xattrs(self) -> Mapping[int, Mapping[bytes, bytes]]:
        """The attributes of what has some, by number in the cache."""
        return self._cache.attributed

    def cached_contents(self, numbers: Sequence[int]) -> list[bytes]:
        """The contents' digests, by numbers in the cache."""
        return self._cache.contents(numbers)

    def met(self, listing: Listing) -> None:
        """Remember what was listed, for `open`."""
        self._statuses.update(zip(map(os.fsencode, listing.paths), listing.statuses, strict=True))

    def _learn(self, listing: Listing, wanted: list[Wanted], numbers: list[int | None]) -> None:
        for n, found in halves.read(self.descriptor, wanted).items():
            numbers[n] = self._cache.learn(listing.statuses[n], found.content, found.xattrs, found.started)

    def _one(self, argument: str, exclude: Sequence[str], select: str) -> Match | None:
        """What one path without wildcards selects; None where the patterns leave nothing of it."""
        path = self._followed(argument)
        name = argument.rpartition("/")[2]
        status = self._status(path, argument)
        hidden = self._ignore.leaves_out(path)
        if stat.S_ISDIR(status.st_mode):
            start = len(os.fsencode(path)) + 1 if path else 0
            sieve = Sieve(self._ignore, path, exclude=exclude, select=select)
            if self._memory and sieve.plain is not None and not hidden:
                walk = walked(self.descriptor, path, self._ignore, self._memory)
                items = Items(self, walk.listing, start, walk)
            else:
                listing = Listing()
                if not hidden or self._ignore.may_keep_below(path):
                    listing = scan(self.descriptor, path, sieve)
                if hidden and not listing.paths:
                    raise NotFound(argument)
                items = Items(self, listing, start)
            return Match(path=os.fsencode(path), name=os.fsencode(name), is_directory=True, items=items)
        if hidden or select:
            raise NotFound(argument)
        if stat.S_ISSOCK(status.st_mode):
            raise Uncopyable(f"{argument} is a socket, which cannot be copied")
        if exclude and Ignore(exclude).leaves_out(name):
            return None
        listing = Listing()
        listing.paths.append(path)
        listing.statuses.append(status)
        items = Items(self, listing, len(os.fsencode(path)))  # its identity is not where it lies
        return Match(path=os.fsencode(path), name=os.fsencode(name), is_directory=False, items=items)

    def _followed(self, argument: str) -> str:
        return os.fsdecode(follow(os.fsencode(argument), self._link, leaf=True))

    def _link(self, path: bytes) -> bytes | None:
        if self._ignore.leaves_out(os.fsdecode(path)):
            return None  # it is not there, nor is what it leads to, by this name
        try:
            place = kernel.openat2(self.descriptor, path, os.O_PATH | os.O_NOFOLLOW, resolve=NO_LINKS)
        except OSError as error:
            if error.errno in _NOT_THERE:
                return None
            raise refused(error, os.fsdecode(path)) from error
        try:
            return os.readlink(b"", dir_fd=place)
        except OSError:
            return None  # no link: the kernel says EINVAL, or ENOENT for the empty path
        finally:
            os.close(place)

    def _status(self, path: str, argument: str) -> os.stat_result:
        try:
            place = kernel.openat2(self.descriptor, path or ".", os.O_PATH | os.O_NOFOLLOW, resolve=NO_LINKS)
        except OSError as error:
            if error.errno in _NOT_THERE:
                raise NotFound(argument) from error
            raise refused(error, argument) from error
        try:
            status = os.fstat(place)
        finally:
            os.close(place)
        if stat.S_ISLNK(status.st_mode):  # it was put there just now, or is not there for anybody
            raise NotFound(argument)
        return status

    def _names(self, directory: str) -> Iterator[tuple[str, bool]]:
        """The names in a directory that a wildcard may meet, and whether each may be a directory."""
        path = self._followed(directory)
        hidden = self._ignore.leaves_out(path)
        if hidden and not self._ignore.may_keep_below(path):
            return
        try:
            descriptor = kernel.openat2(
                self.descriptor, path or ".", os.O_RDONLY | os.O_DIRECTORY, resolve=NO_LINKS
            )
        except OSError as error:
            if error.errno in _NOT_THERE:
                return
            raise refused(error, path) from error
        try:
            with os.scandir(descriptor) as entries:
                found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        finally:
            os.close(descriptor)
        above = self._ignore.above(path)
        for name, is_directory in sorted(found, key=lambda pair: os.fsencode(pair[0])):
            below = f"{path}/{name}" if path else name
            out = self._ignore.judge(below, above)[0]
            if not out or (is_directory and self._something_below(below)):
                yield name, is_directory

    def _something_below(self, directory: str) -> bool:
        """Whether something is there in a directory that itself is left out."""
        if not self._ignore.may_keep_below(directory):
            return False
        return bool(scan(self.descriptor, directory, Sieve(self._ignore, directory)).paths)


def _changed(error: OSError, shown: str) -> MilleError:
    """What a failure to open or read a file means that was there when it was listed."""
    is_other = error.errno in (*REPLACED, errno.ENAMETOOLONG)
    return ContextChanged(shown) if is_other else refused(error, shown)


def _items(match: Match) -> Items:
    assert isinstance(match.items, Items)  # a match of another source
    return match.items
