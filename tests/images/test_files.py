from __future__ import annotations

import stat
from collections.abc import Iterator

import pytest
from tests.images.looked import bring, files_of

from millefeuille.images.files import DamagedContent, ImageFiles, NoSuchFile
from millefeuille.layers.entry import HARDLINK
from millefeuille.layers.following import TooManyLinks, follow
from millefeuille.store.store import Store
from millefeuille.testing.rawtars import directory, file, hardlink, pax_sparse, symlink

LOWER = (
    directory(b"etc"), file(b"etc/passwd", b"root"), file(b"etc/gone", b"old"),
    file(b"etc/kept", b"k" * 700_000),
    symlink(b"up", b"../../etc"), symlink(b"absolute", b"/etc/passwd"), symlink(b"a", b"b"),
    symlink(b"b", b"a"),
    symlink(b"dangling", b"nowhere"), directory(b"var"), symlink(b"var/run", b"/run"), directory(b"run"),
    file(b"run/pid", b"7"),
)  # fmt: skip
UPPER = (
    file(b"etc/passwd", b"changed"), file(b"etc/.wh.gone"), hardlink(b"again", b"etc/kept"),
    pax_sparse(b"holes", [(4096, 5), (1 << 20, 3)], (1 << 20) + 900, b"hello" + b"end", "1.0"),
)  # fmt: skip


@pytest.fixture
def files(store: Store) -> Iterator[ImageFiles]:
    bring(store, "app", b"".join(LOWER), b"".join(UPPER))
    with files_of(store, "app") as found:
        yield found


def read(files: ImageFiles, path: str) -> bytes:
    _, node = files.find(path)
    data = bytearray(node.size)
    for offset, run in files.content(node):
        data[offset : offset + len(run)] = run
    return bytes(data)


@pytest.mark.parametrize(
    ("path", "found", "content"),
    [
        ("/etc/passwd", b"etc/passwd", b"changed"),
        ("etc/passwd", b"etc/passwd", b"changed"),
        ("/../etc/./passwd", b"etc/passwd", b"changed"),
        ("/absolute", b"etc/passwd", b"changed"),
        ("/up/passwd", b"etc/passwd", b"changed"),
        ("/var/run/pid", b"run/pid", b"7"),
        ("/again", b"again", b"k" * 700_000),
        ("/etc/kept", b"etc/kept", b"k" * 700_000),
    ],
)
def test_what_is_at_a_path(path: str, found: bytes, content: bytes, files: ImageFiles) -> None:
    assert files.find(path)[0] == found
    assert read(files, path) == content


@pytest.mark.parametrize(
    "path", ["/etc/gone", "/nope", "/dangling", "/etc/passwd/x", "/etc/passwd/", "/absolute/"]
)
def test_what_is_not_there(path: str, files: ImageFiles) -> None:
    with pytest.raises(NoSuchFile) as caught:
        files.find(path)
    assert str(caught.value) == f"Could not find the file {path} in image app"


def test_a_loop_of_links(files: ImageFiles) -> None:
    with pytest.raises(TooManyLinks):
        files.find("/a")
    assert stat.S_ISLNK(files.find("/a", leaf=False)[1].mode)


def test_forty_links_are_followed_and_no_more() -> None:
    links = {b"%d" % n: b"%d" % (n + 1) for n in range(50)}
    assert follow(b"10", links.get, leaf=True) == b"50"
    with pytest.raises(TooManyLinks):
        follow(b"9", links.get, leaf=True)


def test_a_sparse_file_reads_as_it_was(files: ImageFiles) -> None:
    data = read(files, "/holes")
    assert len(data) == (1 << 20) + 900
    assert (data[4096:4101], data[1 << 20 : (1 << 20) + 3], data.count(0)) == (
        b"hello",
        b"end",
        len(data) - 8,
    )
    files.verify(files.find("/holes")[1])


def test_files_come_in_order_and_names_of_one_file_are_links(files: ImageFiles) -> None:
    entries = [carried.entry for carried in files.carried(files.root)]
    assert [entry.path for entry in entries[:3]] == [b"", b"a", b"absolute"]
    assert {entry.path: entry.link for entry in entries if entry.kind == HARDLINK} == {b"etc/kept": b"again"}


@pytest.mark.parametrize("path", ["/etc/kept", "/holes"])
def test_a_flipped_bit_is_noticed(path: str, files: ImageFiles, store: Store) -> None:
    _, node = files.find(path)
    layer = files.layer(node)
    assert layer is not None
    tar = store.disk.tar(layer.diff_id)
    with open(tar, "rb") as file:
        data = bytearray(file.read())
    data[node.offset] ^= 1
    with open(tar, "wb") as file:
        file.write(data)
    with pytest.raises(DamagedContent) as caught:
        files.verify(node)
    assert str(layer.diff_id) in str(caught.value)
