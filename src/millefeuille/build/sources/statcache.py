"""Stat cache: what is known of files that have not been read this time, by what stat says of them.

    (device, inode, size, mtime, ctime) → blake3 of the content, extended attributes

A file keeps its content as long as these stay the same: nobody sets a ctime. Only, what changes twice within
one tick of the file system's clock shows one ctime; so what was read in the very tick of its last change is
not remembered (git calls such a file racily clean).

One file for each tree, in columns, read at once and written at once; whoever writes last wins, and what an
other build learned meanwhile is learned again. A file that is broken, or gone, is an empty cache.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
from array import array
from collections.abc import Iterable, Mapping, Sequence

from millefeuille.annotations import Final
from millefeuille.build.sources import memory
from millefeuille.errors import MilleError
from millefeuille.layers import columns
from millefeuille.layers.columns import Buffer
from millefeuille.layers.entry import NO_XATTRS
from millefeuille.layers.schema import Strings, pack_xattrs, strings, unpack_xattrs

HASH_SIZE: Final = 32  # bytes
AGES: Final = 8  # times that the file is written, in which an entry that nobody asks for is kept
MAXIMUM: Final = 500_000  # entries, of about 80 bytes
_VERSION: Final = b"stat cache 1"
_KEYS: Final = (b"dev", b"ino", b"size", b"mtime", b"ctime")

Key = tuple[int, int, int, int, int]


class StatCache:
    """What is known of the files of one tree. Safe for several threads."""

    def __init__(self, path: str | None = None) -> None:
        """Load the file `path` once something is asked; None, or what cannot be read, is an empty cache."""
        self._path = path
        self._is_loaded = path is None
        self._known: dict[Key, int] = {}  # to numbers, from 0 on
        self._contents: list[bytes] = []
        self._xattrs: dict[int, Mapping[bytes, bytes]] = {}
        self._ages = bytearray()
        self._asked: list[Sequence[int | None]] = []
        self._passing: set[int] = set()  # numbers that are not to be saved
        self._changed = False
        self._lock = threading.Lock()

    def find(self, statuses: Iterable[os.stat_result]) -> list[int | None]:
        """The numbers under which these files are known, None for those that are not."""
        self._load()
        keys = [(s.st_dev, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for s in statuses]
        numbers = list(map(self._known.get, keys))
        self._asked.append(numbers)  # all are kept: nobody has time to look at them
        return numbers

    def content(self, number: int) -> bytes:
        """The blake3 of a file's content; zeros for what is no file."""
        return self._contents[number]

    def contents(self, numbers: Iterable[int]) -> list[bytes]:
        """The same for many."""
        return list(map(self._contents.__getitem__, numbers))

    def xattrs(self, number: int) -> Mapping[bytes, bytes]:
        """The extended attributes of a file."""
        return self._xattrs.get(number, NO_XATTRS)

    @property
    def attributed(self) -> Mapping[int, Mapping[bytes, bytes]]:
        """The extended attributes of those that have some, by number."""
        self._load()
        return self._xattrs

    def learn(
        self, status: os.stat_result, content: bytes, xattrs: Mapping[bytes, bytes], started: int
    ) -> int:
        """Know a file from now on; its number.

        `started` is the time by the clock of the file system, in nanoseconds, before it was read.
        """
        self._load()
        key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        with self._lock:
            number = self._known.get(key)
            if number is not None:
                return number
            number = len(self._contents)
            self._contents.append(content)
            self._ages.append(0)
            if xattrs:
                self._xattrs[number] = xattrs
            if status.st_ctime_ns + tick(status.st_ctime_ns) < started:
                self._changed = True
            else:
                self._passing.add(number)
            self._known[key] = number  # whoever finds it finds all of it
        return number

    def save(self, spared: Iterable[Iterable[os.stat_result]] = ()) -> None:
        """Write what has been learned; best effort. `spared` are files that nobody had to ask for."""
        if self._path is None or not self._changed:
            return
        for statuses in spared:
            self.find(statuses)
        with self._lock:
            self._changed = False
            memory.put(self._path, self._packed())

    def _load(self) -> None:
        if self._is_loaded:
            return
        with self._lock:
            if not self._is_loaded and self._path is not None:
                with contextlib.suppress(OSError, MilleError, KeyError, ValueError):
                    with open(self._path, "rb") as file:
                        self._take(file.read())
            self._is_loaded = True

    def _take(self, data: bytes) -> None:
        columns.verify(data)
        sections = columns.unpack(data)
        if bytes(sections[b"version"]) != _VERSION:
            return
        numbers = [columns.column(sections[name], "q") for name in _KEYS]
        hashes = bytes(sections[b"hash"])
        contents = [hashes[at : at + HASH_SIZE] for at in range(0, len(hashes), HASH_SIZE)]
        known = dict(zip(zip(*numbers, strict=True), range(len(contents)), strict=True))
        sets = Strings(sections, b"xset")
        owners = columns.column(sections[b"xsetof"], "q")
        self._xattrs = {n: unpack_xattrs(text) for n, text in zip(owners, sets, strict=True)}
        self._ages = bytearray(sections[b"age"])
        self._contents, self._known = contents, known

    def _packed(self) -> bytes:
        keys, kept = list(self._known), self._kept()
        cells = [array("q", (keys[number][n] for number in kept)) for n in range(len(_KEYS))]
        attributed = [(at, self._xattrs[number]) for at, number in enumerate(kept) if number in self._xattrs]
        sections: list[tuple[bytes, Buffer]] = [
            (b"version", _VERSION),
            *zip(_KEYS, (_little(column) for column in cells), strict=True),
            (b"hash", b"".join(self._contents[number] for number in kept)),
            (b"age", bytes(self._ages[number] for number in kept)),
            (b"xsetof", _little(array("q", (at for at, _ in attributed)))),
            *strings(b"xset", [pack_xattrs(sorted(pairs.items())) for _, pairs in attributed]),
        ]
        return columns.pack(sections)

    def _kept(self) -> list[int]:
        """The numbers to save: those that somebody asked for or learned, and younger ones of the others."""
        asked = set(itertools.chain.from_iterable(self._asked))
        latest = {key[:2]: number for key, number in self._known.items()}
        kept: list[int] = []
        for number in latest.values():
            loaded = number not in asked and self._ages[number] < AGES
            if number in self._passing:
                continue
            if number in asked:
                self._ages[number] = 0
            elif loaded:
                self._ages[number] += 1
            else:
                continue
            kept.append(number)
        kept.sort(key=self._ages.__getitem__)
        return kept[:MAXIMUM]


def of_tree(directory: str, root: str) -> StatCache:
    """The cache of the tree at `root`, an absolute path, among those that lie in `directory`."""
    return StatCache(memory.path_of(directory, root))


def tick(time: int) -> int:
    """How long the clock that gave a time, in nanoseconds, may have stood still, told by its digits."""
    if time % 1_000_000_000 == 0:
        return 2_000_000_000  # FAT, or a file system of whole seconds
    return 100_000_000 if time % 1_000_000 == 0 else 20_000_000  # a kernel's tick takes 10 ms at most


def _little(numbers: array[int]) -> Buffer:
    return numbers.tobytes() if _IS_LITTLE else _swapped(numbers)


def _swapped(numbers: array[int]) -> Buffer:
    numbers.byteswap()
    return numbers.tobytes()


_IS_LITTLE: Final = array("H", [1]).tobytes() == b"\1\0"
