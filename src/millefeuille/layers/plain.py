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
from millefeuille.layers.schema import FILE_ROW, ROW_MODE, ROW_OWNER

_DOT = ord(".")
_SUMMED = 156  # bytes of a header in front of what `PLAIN` has last


def take(
    view: memoryview, at: int, offset: int, builder: IndexBuilder, names: Names, limits: Limits,
    counts: tuple[int, int], largest: int,
) -> tuple[int, int, int]:  # fmt: skip
    """Take the plain files that begin at `at` of a piece, which itself lies at `offset` of the tar.

    `counts` are the entries and bytes of metadata so far; a file above `largest` bytes is not plain.
    Gives where it stopped, and how many entries and bytes of metadata it took. Raises TarError for numbers
    that are none.
    """
    unpack, pack, known = headers.PLAIN.unpack_from, FILE_ROW.pack, names.directories
    sizes, times, sums = headers.SIZES, headers.TIMES, headers.SUMS
    entries_left, metadata_left = limits.entries - counts[0], limits.metadata - counts[1]
    rows: list[bytes] = []
    paths: list[bytes] = []
    hashes: list[bytes] = []
    path_end, hash_count = builder.path_size, builder.hash_count
    first_path, content, end = path_end, 0, len(view)
    last = end - BLOCK_SIZE
    # What most headers have in common with the one before, and what that means.
    owner = rest = parent = mode = numbers = b""
    rest_sum = skipped = 0
    children: dict[bytes, int] = {}
    while at <= last:
        name, its_owner, size, mtime, checksum, its_rest = unpack(view, at)
        if its_rest != rest:
            if not headers.is_plain(its_rest):
                break
            rest, rest_sum = its_rest, sum(its_rest)
        # Adler-32 has the sum of bytes and one in its low half, as long as that is less than 65521.
        total = (adler32(view[at : at + _SUMMED]) & 0xFFFF) + rest_sum
        if total != (sums.get(checksum) or headers.checksum_sum(checksum)):
            break
        if its_owner != owner:
            permissions, uid, gid = headers.OWNERS.get(its_owner) or headers.owner_numbers(its_owner)
            mode, numbers = ROW_MODE.pack(permissions, FILE), ROW_OWNER.pack(uid, gid, 0, 0, 0)
            owner = its_owner
        length = sizes.get(size)
        if length is None:
            length = headers.size_number(size)
        seconds = times.get(mtime)
        if seconds is None:
            seconds = headers.time_number(mtime)
        path = name.partition(b"\0")[0]
        above, _, leaf = path.rpartition(b"/")
        if above != parent:
            plain = above[2:] if above[:2] == b"./" else above
            if not plain or plain not in known:  # ".//x" lies in the root too
                break
            parent, children, skipped = above, known[plain], len(above) - len(plain)
        data = at + BLOCK_SIZE
        stop = data + length + -length % BLOCK_SIZE
        # What lies in the root is left to the parser: there `above` does not tell "/x" from "x".
        if stop > end or length > largest or not above or not leaf or leaf[0] == _DOT or leaf in children:
            break
        if skipped:
            path = path[skipped:]
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
        rows.append(pack(length, seconds, numbers, block, block + 1, path_end, hash_number, mode))
        at = stop
    if rows:
        builder.add_files(rows, paths, hashes, content)
    return at, len(rows), path_end - first_path
