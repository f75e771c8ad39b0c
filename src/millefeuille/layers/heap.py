"""Heap: keep the C library's allocator from holding on to the memory of a finished pass.

Each thread of a pass would get an arena of its own, and what is freed in one is of no use to another; with
one arena for all the memory of a pull stays near what is really in use. Pieces of a layer are larger than
what the allocator keeps by itself: each would be mapped afresh, and every page of it cleared by the kernel.
Other C libraries have neither call.

Source: mallopt(3), M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD; malloc_trim(3).
"""

from __future__ import annotations

import ctypes
import gc

from millefeuille.annotations import Final

_M_ARENA_MAX: Final = -8
_ARENAS: Final = 1
_M_MMAP_THRESHOLD: Final = -3
_MAPPED: Final = 4 << 20  # bytes; smaller pieces are taken from the arena
_M_TRIM_THRESHOLD: Final = -1
_KEPT: Final = 64 << 20  # bytes at the arena's end that stay for the next piece
_libc: Final = ctypes.CDLL(None)


def share_arenas() -> None:
    """Let all threads that begin from now on allocate from the same few arenas."""
    if hasattr(_libc, "mallopt"):
        _libc.mallopt(_M_ARENA_MAX, _ARENAS)
        _libc.mallopt(_M_MMAP_THRESHOLD, _MAPPED)
        _libc.mallopt(_M_TRIM_THRESHOLD, _KEPT)


def give_back() -> None:
    """Return to the system what was freed, and what only cycles of finished work still hold."""
    gc.collect()
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(0)
