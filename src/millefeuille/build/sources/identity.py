"""Identity: the hash of a set of entries, equal where copying them gives equal layers.

The columns of all entries one behind the other, each with its length before it, so that nothing can pass for
something else: the paths, the kinds, the modes, the contents; then what few entries have, with the entry's
number: owners, links, devices, attributes. Times are not in it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

from blake3 import blake3

from millefeuille.annotations import Final
from millefeuille.layers.entry import FILE
from millefeuille.layers.schema import pack_xattrs
from millefeuille.layers.tarheader import Metadata
from millefeuille.values import dataclass, field

_LENGTH: Final = struct.Struct("<Q")
_OWNER: Final = struct.Struct("<QII")
_NUMBERED: Final = struct.Struct("<QI")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """Entries in columns: `paths` from the copied directory on, `kinds` as in `layers.entry`.

    `contents` are the blake3 digests of the regular files alone, in their order. The mappings are by number
    of the entry, and have those that have something to say: owners but 0:0, targets of symlinks, paths that
    hard links name, devices, attributes.
    """

    paths: Sequence[bytes]
    kinds: bytes
    modes: Sequence[int]
    contents: Sequence[bytes]
    owners: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    links: Mapping[int, bytes] = field(default_factory=dict)
    devices: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    xattrs: Mapping[int, Mapping[bytes, bytes]] = field(default_factory=dict)


def entries_of(found: Iterable[tuple[Metadata, bytes | None]]) -> Entries:
    """The same of entries as they are, each with its content's digest; links as they are to be compared."""
    rows = list(found)
    several = list(enumerate(entry for entry, _ in rows))
    return Entries(
        paths=[entry.path for entry, _ in rows],
        kinds=bytes(entry.kind for entry, _ in rows),
        modes=[entry.mode for entry, _ in rows],
        contents=[content for entry, content in rows if entry.kind == FILE and content is not None],
        owners={n: (entry.uid, entry.gid) for n, entry in several if entry.uid or entry.gid},
        links={n: entry.link for n, entry in several if entry.link},
        devices={n: entry.device for n, entry in several if entry.device != (0, 0)},
        xattrs={n: entry.xattrs for n, entry in several if entry.xattrs},
    )


def identity(parts: Iterable[tuple[bytes | None, Entries]], *, mode: bool = True) -> str:
    """The identity, in hex, of copying these one after the other.

    Each is a file with its name, or the content of a directory with None. Without `mode` modes do not count.
    """
    hasher = blake3()
    for name, entries in parts:
        _feed(hasher, b"directory" if name is None else b"file:" + name)
        for column in _columns(entries, mode=mode):
            _feed(hasher, column)
    return hasher.hexdigest()


def _columns(entries: Entries, *, mode: bool) -> Iterable[bytes]:
    yield _LENGTH.pack(len(entries.paths))
    yield b"\0".join(entries.paths)  # no path has a NUL in it
    yield entries.kinds
    yield struct.pack(f"<{len(entries.modes)}H", *entries.modes) if mode else b""
    yield b"".join(entries.contents)
    yield b"".join(_OWNER.pack(n, *owner) for n, owner in sorted(entries.owners.items()))
    yield b"".join(_NUMBERED.pack(n, len(link)) + link for n, link in sorted(entries.links.items()))
    yield b"".join(_OWNER.pack(n, *device) for n, device in sorted(entries.devices.items()))
    for n, pairs in sorted(entries.xattrs.items()):
        yield _LENGTH.pack(n) + pack_xattrs(sorted(pairs.items()))


def _feed(hasher: blake3, data: bytes) -> None:
    hasher.update(_LENGTH.pack(len(data)))
    hasher.update(data)
