"""The rest of a layer, read on its own: from an entry in the middle of a tar, by who knows nothing before it.

What an entry becomes depends on those before it in few ways: global headers, symlinks that names pass
through, what hard links and whiteouts name. Where there is none of these, the two parts of a layer can be
read at the same time, and their indexes be joined; where there is, or where the guess of an entry in the
middle was wrong, who read the first part reads on, as if nobody had tried.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable, Mapping

from millefeuille.annotations import Final
from millefeuille.layers import columns, header
from millefeuille.layers.columns import Buffer
from millefeuille.layers.entries import HEADER_ONLY, NOTES_MAXIMUM, Counts, Entries
from millefeuille.layers.entry import HARDLINK, OPAQUE, WHITEOUT
from millefeuille.layers.extensions import EXTENSION_TYPES
from millefeuille.layers.header import BLOCK_SIZE
from millefeuille.layers.index import LayerIndex
from millefeuille.layers.index_builder import IndexBuilder
from millefeuille.layers.refusal import TarError
from millefeuille.layers.schema import DEVICE, FACTS, FIELDS, Strings, strings
from millefeuille.layers.tar import TarParser

MAGIC: Final = b"ustar"
_MAGIC_AT: Final = 257  # where it lies in a header
_WINDOW: Final = 1 << 20  # bytes in which a header is looked for
_COUNTS: Final = struct.Struct("<QQQ")
_TIED: Final = (HARDLINK, WHITEOUT, OPAQUE)  # kinds that name what another entry may have made

Sections = Mapping[bytes, memoryview]


def entry_behind(read: Callable[[int, int], bytes], middle: int, size: int) -> int | None:
    """Where an entry of the tar seems to begin, behind `middle`; None when none is found nearby.

    `read` gives so many bytes at an offset; the tar has `size`. A guess: a tar in a tar has headers too.
    """
    middle -= middle % BLOCK_SIZE
    window = read(min(_WINDOW, size - middle), middle)
    at = window.find(MAGIC)
    while at >= 0:
        start = at - _MAGIC_AT
        if start >= 0 and not start % BLOCK_SIZE:
            found = _next_entry(read, middle + start, size)
            if found is not None:
                return found
        at = window.find(MAGIC, at + 1)
    return None


def _next_entry(read: Callable[[int, int], bytes], at: int, size: int) -> int | None:
    """Where the entry ends whose header, or first extension header, is at `at`; None when that is none."""
    while at + BLOCK_SIZE <= size:
        block = read(BLOCK_SIZE, at)
        try:
            fields = header.decode(memoryview(block))
        except TarError:
            return None
        at += BLOCK_SIZE
        if fields[6] not in HEADER_ONLY:
            at += fields[4] + -fields[4] % BLOCK_SIZE
        if fields[6] not in EXTENSION_TYPES:
            return at if at < size else None
    return None


def encoded(builder: IndexBuilder, entries: Entries) -> bytes:
    """What the rest of a layer came to, for `joined`; nothing where it is tied to what lies before it."""
    sections = builder.sections()
    names = entries.names
    if names.forgotten or any(kind in bytes(dict(sections)[b"kind"]) for kind in _TIED):
        return b""
    sections.append((b"dirs", b"\0".join(names.directories)))
    sections.append((b"counts", _COUNTS.pack(*entries.counts)))
    return columns.pack(sections)


def joined(parser: TarParser, builder: IndexBuilder, rest: Buffer) -> LayerIndex | None:
    """The index of a layer of which `parser` read the first part into `builder`, and another `rest`.

    None when something in the first part bears on the rest.
    """
    if not rest or not parser.between_entries:
        return None
    second = columns.unpack(rest)
    names = bytes(second[b"dirs"]).split(b"\0")
    counts = Counts(*_COUNTS.unpack(second[b"counts"]))
    if not parser.entries.names.allow(names) or not parser.entries.have_room(counts):
        return None
    first = {name: memoryview(content) for name, content in builder.sections()}
    sections = _sections(first, second, len(builder))
    sections[b"facts"] = memoryview(_facts(first, second, parser.entries.lower_links))
    return LayerIndex.of(sections)


def _sections(first: Sections, second: Sections, count: int) -> dict[bytes, memoryview]:
    """The sections of an index whose first `count` entries are those of `first`."""
    found: dict[bytes, Buffer] = {
        name: b"".join((first[name], second[name])) for name in (b"path", b"hash", b"points")
    }
    xattrs, xattr_numbers = _united(Strings(first, b"xsets"), Strings(second, b"xsets"))
    links = [*Strings(first, b"links"), *Strings(second, b"links")]
    moved: dict[bytes, Callable[[Iterable[int]], Iterable[int]]] = {
        b"pathend": _raised(len(first[b"path"]), zero=True),
        b"hashno": _raised(len(first[b"hash"]) // 32),
        b"link": _raised(len(Strings(first, b"links"))),
        b"xattr": lambda numbers: map(xattr_numbers.__getitem__, numbers),
    }
    for name, code, _ in FIELDS:
        items: Buffer = second[name]
        if name in moved and (name == b"pathend" or any(second[name])):
            items = array(code, moved[name](columns.column(second[name], code))).tobytes()
        found[name] = b"".join((first[name], items))
    devices = [(number + count, *device) for number, *device in DEVICE.iter_unpack(second[b"device"])]
    found[b"device"] = b"".join((first[b"device"], *(DEVICE.pack(*each) for each in devices)))
    found[b"sparse"] = bytes(first[b"sparse"]) + array("Q", _sparse(second, count)).tobytes()
    found |= strings(b"links", links)
    found |= strings(b"xsets", xattrs)
    notes = [*Strings(first, b"notes"), *Strings(second, b"notes")]
    found |= strings(b"notes", notes[:NOTES_MAXIMUM])
    return {name: memoryview(content) for name, content in found.items()}


def _raised(by: int, *, zero: bool = False) -> Callable[[Iterable[int]], Iterable[int]]:
    """Numbers raised; 0, which stands for none, is not, unless `zero` says that it is a number."""
    if zero:
        return lambda numbers: [number + by for number in numbers]
    return lambda numbers: [number and number + by for number in numbers]


def _united(first: Iterable[bytes], second: Iterable[bytes]) -> tuple[list[bytes], list[int]]:
    """Two tables without repeats as one, and what the numbers of the second, from 1 on, are in it."""
    table = {item: number for number, item in enumerate(first, 1)}
    numbers = [0, *(table.setdefault(item, len(table) + 1) for item in second)]
    return list(table), numbers


def _facts(first: Sections, second: Sections, lower_links: int) -> bytes:
    tar_size, end, compressed, more_links, content = FACTS.unpack(second[b"facts"])
    content += FACTS.unpack(first[b"facts"])[4]
    return FACTS.pack(tar_size, end, compressed, lower_links + more_links, content)


def _sparse(sections: Sections, count: int) -> Iterable[int]:
    items = iter(columns.column(sections[b"sparse"], "Q"))
    for number in items:
        runs = next(items)
        yield from (number + count, runs)
        for _ in range(2 * runs):
            yield next(items)
