"""Plain files in a row: what most of a layer is, taken in one loop.

The parser reads an entry through four modules, one rule at a time, which for a small file takes longer than
all else that is done with it. Here the same is done at once for regular files that have nothing to them: a
common header without prefix, a new name that is plain text in a directory that is known, content that is all
here. What is any other way is left to the parser, so no rule is decided here; a test holds that both give the
same index.
"""

from __future__ import annotations

from zlib import adler32

from blake3 import blake3

from millefeuille.layers import header as headers
from millefeuille.layers.entry import FILE
from millefeuille.layers.header import BLOCK_SIZE
from millefeuille.layers.index_builder import IndexBuilder
from millefeuille.layers.names import Names
from millefeuille.layers.refusal import Limits
from millefeuille.layers.schema import ROW

_REGULAR = ord("0")
_SLASH = ord("/")
_DOT = ord(".")
_TYPE = 156  # where in a header the type is


def take(
    view: memoryview, at: int, offset: int, builder: IndexBuilder, names: Names, limits: Limits,
    counts: tuple[int, int], largest: int,
) -> tuple[int, int, int]:  # fmt: skip
    """Take the plain files that begin at `at` of a piece, which itself lies at `offset` of the tar.

    `counts` are the entries and bytes of metadata so far; a file above `largest` bytes is not plain.
    Gives where it stopped, and how many entries and bytes of metadata it took. Raises TarError for numbers
    that are none.
    """
    unpack, pack, known = headers.PLAIN.unpack_from, ROW.pack, names.directories
    owners, sizes, times, sums = headers.OWNERS, headers.SIZES, headers.TIMES, headers.SUMS
    ustar, gnu, no_prefix = headers.PLAIN_USTAR, headers.PLAIN_GNU, headers.NO_PREFIX
    entries_left, metadata_left = limits.entries - counts[0], limits.metadata - counts[1]
    rows: list[bytes] = []
    paths: list[bytes] = []
    hashes: list[bytes] = []
    path_end, hash_count = builder.path_size, builder.hash_count
    first_path, content, end = path_end, 0, len(view)
    last = end - BLOCK_SIZE
    directory, children = b"", known[b""]
    while at <= last and view[at + _TYPE] == _REGULAR:
        name, owner, size, mtime, checksum, kind, prefix = unpack(view, at)
        if (kind != ustar and kind != gnu) or prefix != no_prefix:
            break
        data = at + BLOCK_SIZE
        if adler32(view[at:data]) & 0xFFFF != (sums.get(checksum) or headers.checksum_sum(checksum)):
            break
        mode, uid, gid = owners.get(owner) or headers.owner_numbers(owner)
        length = sizes.get(size)
        if length is None:
            length = headers.size_number(size)
        seconds = times.get(mtime)
        if seconds is None:
            seconds = headers.time_number(mtime)
        stop = data + length + -length % BLOCK_SIZE
        cut = name.find(0)
        path = name[:cut] if cut >= 0 else name
        if path and path[0] == _DOT and path[:2] == b"./":
            path = path[2:]
        parent, _, leaf = path.rpartition(b"/")
        if parent != directory:
            found = known.get(parent)
            if found is None:
                break
            directory, children = parent, found
        if stop > end or not leaf or leaf in children or length > largest:
            break
        if leaf[0] == _DOT or path[0] == _SLASH:
            break
        path_end += len(path)
        if len(rows) >= entries_left or path_end - first_path > metadata_left:
            path_end -= len(path)
            break
        children[leaf] = FILE
        hash_number = 0
        if length:
            hashes.append(blake3(view[data : data + length]).digest())
            content += length
            hash_count += 1
            hash_number = hash_count
        block = (offset + at) // BLOCK_SIZE
        paths.append(path)
        rows.append(
            pack(length, seconds, uid, gid, 0, 0, 0, block, block + 1, path_end, hash_number, mode, FILE)
        )
        at = stop
    if rows:
        builder.add_files(rows, paths, hashes, content)
    return at, len(rows), path_end - first_path
