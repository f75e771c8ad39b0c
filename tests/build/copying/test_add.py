"""ADD: archives are extracted, within the root; what came from a URL is a file."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.build.copying.roots import d, f, root, s, words

from millefeuille.build.copying.add import added
from millefeuille.build.copying.archive import MarkedName
from millefeuille.build.copying.copy import CopyWishes, copied
from millefeuille.build.copying.fetched import FetchedSource
from millefeuille.build.copying.planned import WrongKind
from millefeuille.build.sources.directory import DirectorySource
from millefeuille.errors import Invalid, MilleError
from millefeuille.layers.refusal import BrokenLink, TarError
from millefeuille.layers.tarheader import Metadata
from millefeuille.layers.tarstream import Member
from millefeuille.store.store import Store
from millefeuille.testing.rawtars import archive, directory, file, hardlink, pax_sparse, symlink

if sys.version_info >= (3, 14):
    from compression.zstd import compress as zstd
else:
    from backports.zstd import compress as zstd

PLAIN = archive(
    directory(b"./", mode=0o700, uid=9), directory(b"sub/", mode=0o1750, uid=7),
    file(b"sub/f", b"data", mode=0o4755, uid=7),
    hardlink(b"sub/g", b"sub/f"), symlink(b"up", b"../../etc"),
)  # fmt: skip
EXPECTED = (
    "d 755 0:0 x; d 1750 7:0 x/sub; - 4755 7:0 x/sub/f; h 4755 7:0 x/sub/g -> x/sub/f; "
    "l 777 0:0 x/up -> ../../etc"
)


def add(
    store: Store, tmp_path: Path, data: bytes, below: Sequence[Member] = (), target: str = "x",
    *, unpack: bool = True, **wishes: Any,
) -> list[tuple[Metadata, bytes]]:  # fmt: skip
    context = tmp_path / "context"
    context.mkdir(exist_ok=True)
    (context / "a.tar").write_bytes(data)
    store.create()
    with (
        DirectorySource(str(context)) as source,
        root(store, below) as tree,
        added(
            tree, [(source, source.match("a.tar"))], CopyWishes(destination=target, **wishes),
            unpack=unpack, scratch=store.disk.ingest,
        ) as members,
    ):  # fmt: skip
        return [
            (entry, os.read(content, entry.size) if isinstance(content, int) else content or b"")
            for entry, content in members
        ]


def told(found: list[tuple[Metadata, bytes]]) -> str:
    return "; ".join(words(entry) for entry, _ in found)


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd])
def test_archives_are_extracted(store: Store, tmp_path: Path, compress: Callable[[bytes], bytes]) -> None:
    found = add(store, tmp_path, compress(PLAIN))
    assert told(found) == EXPECTED
    assert [data for entry, data in found if data] == [b"data"]


def test_without_unpacking_an_archive_is_a_file(store: Store, tmp_path: Path) -> None:
    found = add(store, tmp_path, PLAIN, unpack=False)
    assert told(found) == "- 644 0:0 x" and found[0][1] == PLAIN


@pytest.mark.parametrize(
    "data", [b"", b"text", bytes(1024), gzip.compress(b"no tar"), PLAIN[:300], b"\x1f\x8bbroken"]
)
def test_what_is_no_archive_is_a_file(store: Store, tmp_path: Path, data: bytes) -> None:
    found = add(store, tmp_path, data)
    assert told(found) == "- 644 0:0 x" and found[0][1] == data


@pytest.mark.parametrize(
    ("entries", "below", "expected"),
    [
        # The root's entry says nothing about the destination.
        ([directory(b"./", mode=0o700), file(b"f", b"1")], [d("x", 0o711, 3, 3)],
         "d 711 3:3 x; - 644 0:0 x/f"),
        # What is there makes room, directories stay.
        ([file(b"a", b"1")], [d("x"), d("x/a"), f("x/a/b")], "d 755 0:0 x; - 644 0:0 x/a"),
        ([directory(b"a/"), file(b"a/c")], [d("x"), f("x/a")], "d 755 0:0 x; d 755 0:0 x/a; - 644 0:0 x/a/c"),
        ([directory(b"a/", mode=0o700)], [d("x"), d("x/a"), f("x/a/b")], "d 755 0:0 x; d 700 0:0 x/a"),
        ([directory(b"a/"), file(b"a/c")], [d("x"), s("x/a", "/etc"), d("etc")],
         "d 755 0:0 x; d 755 0:0 x/a; - 644 0:0 x/a/c"),
        # Directories that only lead somewhere may be links, inside of the root.
        ([file(b"a/c")], [d("x"), s("x/a", "/../etc"), d("etc")],
         "d 755 0:0 etc; - 644 0:0 etc/c; d 755 0:0 x"),
        ([file(b"a/c")], [], "d 755 0:0 x; d 755 0:0 x/a; - 644 0:0 x/a/c"),
        # Names and links within the archive do not lead out.
        ([file(b"/etc/f")], [], "d 755 0:0 x; d 755 0:0 x/etc; - 644 0:0 x/etc/f"),
        ([symlink(b"l", b"/../../"), file(b"l/f")], [],
         "d 755 0:0 x; - 644 0:0 x/f; l 777 0:0 x/l -> /../../"),
        # The last entry of a name counts.
        ([file(b"f", b"1"), file(b"f", b"22", mode=0o600)], [], "d 755 0:0 x; - 600 0:0 x/f"),
    ],
)  # fmt: skip
def test_merging(
    store: Store, tmp_path: Path, entries: list[bytes], below: Sequence[Member], expected: str
) -> None:
    assert told(add(store, tmp_path, archive(*entries), below)) == expected


@pytest.mark.parametrize(
    ("entries", "below", "kind"),
    [
        ([file(b"../f")], [], TarError),
        ([file(b"a/../../f")], [], TarError),
        ([hardlink(b"l", b"nowhere")], [], BrokenLink),
        ([file(b"a/.wh.f")], [], MarkedName),
        ([file(b"a/.wh..wh..opq")], [], MarkedName),
        ([file(b".wh..wh.plnk/1")], [], MarkedName),
        ([file(b"f")], [f("x")], WrongKind),
    ],
)
def test_what_is_refused(
    store: Store, tmp_path: Path, entries: list[bytes], below: Sequence[Member], kind: type[MilleError]
) -> None:
    with pytest.raises(kind):
        add(store, tmp_path, archive(*entries), below)


def test_an_archive_that_ends_early_is_called_by_its_name_and_no_layer(store: Store, tmp_path: Path) -> None:
    cut = archive(file(b"f", b"x" * 5000))[:3000]
    with pytest.raises(TarError, match=r"^/a\.tar: the tar is refused: it ends in the middle of an entry$"):
        add(store, tmp_path, cut)


def test_owner_and_mode_of_all_that_is_extracted(store: Store, tmp_path: Path) -> None:
    found = add(store, tmp_path, archive(directory(b"a/"), file(b"a/f")), chown="5:6", chmod="700")
    assert told(found) == "d 700 5:6 x; d 700 5:6 x/a; - 700 5:6 x/a/f"


def test_sparse_files_are_whole(store: Store, tmp_path: Path) -> None:
    found = add(store, tmp_path, archive(pax_sparse(b"holes", [(4096, 5)], 5000, b"hello", "1.0")))
    assert found[1][1] == bytes(4096) + b"hello" + bytes(899)


def test_a_damaged_archive_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(MilleError, match=r"^/a\.tar: the gzip stream ends early$"):
        add(store, tmp_path, gzip.compress(PLAIN)[:-10])


def test_what_came_from_a_url_is_a_private_file(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "came"
    path.write_bytes(b"came")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        source = FetchedSource("f", descriptor, 1234)
        matches = source.match("f")
        with root(store, [d("x")]) as tree:
            found = list(copied(tree, source, matches, CopyWishes(destination="x")))
            assert [words(entry) for entry, _ in found] == ["d 755 0:0 x", "- 600 0:0 x/f"]
            assert found[1][0].mtime == 1234
            named = list(copied(tree, source, matches, CopyWishes(destination="/y", chmod="755")))
            assert [words(entry) for entry, _ in named] == ["- 755 0:0 y"]
        assert source.digest(matches) == FetchedSource("f", descriptor, 99).digest(matches)
        with pytest.raises(Invalid):
            FetchedSource("../f", descriptor)
    finally:
        os.close(descriptor)
