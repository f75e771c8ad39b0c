"""Sparse files of a tar, which holds no more than their data, made whole."""

from __future__ import annotations

import os

from millefeuille import files
from millefeuille.annotations import Final
from millefeuille.layers.entry import SparseMap
from millefeuille.layers.sparse import SparseContent

_CHUNK: Final = 1 << 20  # bytes


def expanded(tar: int, at: int, runs: SparseMap, size: int, directory: str) -> tuple[int, bytes] | None:
    """The whole file, `size` bytes, as a nameless one in `directory`, and its blake3.

    `runs` lie one behind the other in `tar` from `at` on. The descriptor, at the file's start, is the
    caller's; None where `directory` takes no nameless files. Raises DiskFull, OSError.
    """
    descriptor = files.create_nameless(directory)
    if descriptor is None:
        return None
    hasher = SparseContent(runs, size)
    try:
        for offset, length in runs:
            os.lseek(descriptor, offset, os.SEEK_SET)
            end = at + length
            while at < end and (data := os.pread(tar, min(_CHUNK, end - at), at)):
                hasher.update(memoryview(data))
                at += files.write(descriptor, data)
            at = end
        files.truncate(descriptor, size)
        os.lseek(descriptor, 0, os.SEEK_SET)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, hasher.digest()
