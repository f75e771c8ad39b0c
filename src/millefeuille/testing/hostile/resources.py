"""Layers that would need more time, memory or disk than any honest one. Compressed as they would come."""

from __future__ import annotations

import gzip
import sys

from millefeuille.testing.hostile.case import Case, raw
from millefeuille.testing.rawtars import END, directory, file, header, long_name, pax, pax_sparse

if sys.version_info >= (3, 14):  # pragma: no cover - the branch of newer interpreters
    from compression import zstd
else:
    from backports import zstd

_TREE = {b"x": "f 1"}
_X = file(b"x", b"1")
_SIZE = 64 << 20


def _zeros() -> bytes:
    return header(b"zeros", size=_SIZE) + bytes(_SIZE) + END


def _wide_window() -> bytes:
    options: dict[int, int] = {
        zstd.CompressionParameter.window_log: 30,
        zstd.CompressionParameter.content_size_flag: 0,
    }
    compressor = zstd.ZstdCompressor(options=options)
    return compressor.compress(_X + END) + compressor.flush()


def _many_entries() -> bytes:
    """A layer of two million and one entries, as 50,000 compressed members of equal bytes and one more."""
    member = gzip.compress(b"".join(file(b"f%02d" % n) for n in range(40)), 9, mtime=0)
    return member * 50_000 + gzip.compress(_X + END, mtime=0)


def _deep() -> bytes:
    return b"".join(directory(b"d%03d/%s" % (n, b"/".join([b"s"] * 40))) for n in range(250)) + END


def _many_members() -> bytes:
    return gzip.compress(_X + END, mtime=0) + gzip.compress(b"", mtime=0) * 100_000


RESOURCES: tuple[Case, ...] = (
    raw("T8.01", "64 MiB of zeros in gzip", lambda: gzip.compress(_zeros(), mtime=0)),
    raw("T8.02", "64 MiB of zeros in zstd", lambda: zstd.compress(_zeros())),
    raw("T8.03", "a zstd window of 1 GiB", _wide_window, refused="stream"),
    raw("T8.04", "a sparse file of 8 TiB", pax_sparse(b"x", [(0, 1)], 8 << 40, b"1", "1.0"), refused="size"),
    raw("T8.05", "2,000,001 entries", _many_entries, refused="entries"),
    raw(
        "T8.06",
        "a PAX header of 1 GiB",
        header(b"p", b"x", size=1 << 30) + bytes(1 << 20),
        refused="extension",
    ),
    raw(
        "T8.07",
        "a million PAX records",
        lambda: pax([(b"a", b"")] * 1_000_000) + _X + END,
        refused="extension",
    ),
    raw(
        "T8.08",
        "a long name of 16 MiB",
        lambda: long_name(bytes(b"n" * (16 << 20))) + _X,
        refused="extension",
    ),
    raw("T8.09", "ten thousand directories, forty deep", _deep),
    raw("T8.10", "a hundred thousand gzip members", _many_members, tree=_TREE),
)
