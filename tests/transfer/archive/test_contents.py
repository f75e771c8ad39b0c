from __future__ import annotations

import os
from pathlib import Path

import pytest

from millefeuille.errors import MilleError
from millefeuille.testing import rawtars
from millefeuille.transfer.archive.contents import BadArchive, Contents, ShortArchive


def _contents(tmp_path: Path, data: bytes) -> Contents:
    path = tmp_path / "archive.tar"
    path.write_bytes(data)
    # The table keeps the descriptor for as long as the test runs.
    return Contents(os.open(path, os.O_RDONLY))


def test_members_are_found_and_read_where_they_lie(tmp_path: Path) -> None:
    big = os.urandom(300_000)
    contents = _contents(
        tmp_path, rawtars.archive(rawtars.file(b"./a/big", big), rawtars.file(b"small", b"text"))
    )
    assert contents.read("a/big", 1 << 20) == big
    assert contents.read("small", 4) == b"text"
    assert [member.name for member in contents] == ["a/big", "small"]


@pytest.mark.parametrize(
    ("link", "found"),
    [
        (rawtars.symlink(b"b/layer.tar", b"../a/layer.tar"), True),
        (rawtars.symlink(b"b/layer.tar", b"./../a/../a/layer.tar"), True),
        (rawtars.hardlink(b"b/layer.tar", b"a/layer.tar"), True),
        (rawtars.symlink(b"b/layer.tar", b"/a/layer.tar"), False),
        (rawtars.symlink(b"b/layer.tar", b"/etc/passwd"), False),
        (rawtars.symlink(b"b/layer.tar", b"../../../../etc/passwd"), False),
        (rawtars.symlink(b"b/layer.tar", b"layer.tar"), False),
        (rawtars.symlink(b"b/layer.tar", b"../a"), False),
    ],
)
def test_links_lead_to_members_of_the_archive_or_nowhere(tmp_path: Path, link: bytes, found: bool) -> None:
    contents = _contents(tmp_path, rawtars.archive(rawtars.file(b"a/layer.tar", b"layer"), link))
    assert ("b/layer.tar" in contents) is found
    if not found:
        with pytest.raises(BadArchive, match="no file"):
            contents.read("b/layer.tar", 100)


def test_links_in_a_ring_lead_nowhere(tmp_path: Path) -> None:
    ring = [rawtars.symlink(b"x%d" % n, b"x%d" % ((n + 1) % 4)) for n in range(4)]
    assert "x0" not in _contents(tmp_path, rawtars.archive(*ring))


@pytest.mark.parametrize("name", ["/etc/passwd", "../../etc/passwd", "..", "", ".", "a/../../etc/passwd"])
def test_a_name_from_a_document_never_leaves_the_archive(tmp_path: Path, name: str) -> None:
    contents = _contents(tmp_path, rawtars.archive(rawtars.file(b"etc/other", b"x")))
    assert name not in contents


_FILE = rawtars.file(b"manifest.json", b"[]")

HOSTILE = {
    "two files of one name": (rawtars.archive(_FILE, rawtars.file(b"manifest.json", b"[1]")), "twice"),
    "one name in two spellings": (rawtars.archive(_FILE, rawtars.file(b"./manifest.json", b"[1]")), "twice"),
    "a link over a file": (rawtars.archive(_FILE, rawtars.symlink(b"manifest.json", b"x")), "twice"),
    "a file over a link": (rawtars.archive(rawtars.symlink(b"manifest.json", b"x"), _FILE), "twice"),
    "a name above the root": (rawtars.archive(rawtars.file(b"../manifest.json", b"[]")), "climbs above"),
    "a sparse file": (
        rawtars.archive(rawtars.old_sparse(b"layer.tar", [(0, 512)], 1 << 30, bytes(512))),
        "sparse",
    ),
    "a wrong checksum": (_FILE[:150] + b"9" + _FILE[151:] + rawtars.END, "invalid archive"),
    "a part of several volumes": (rawtars.archive(rawtars.file(b"x", b"y", kind=b"M")), "multi-volume"),
}


@pytest.mark.parametrize(("data", "words"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_can_be_read_in_two_ways_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(MilleError, match=words) as refused:
        _contents(tmp_path, data)
    assert isinstance(refused.value, BadArchive)
    assert "\n" not in str(refused.value)


SHORT = {
    "half a header": b"garbage\n",
    "a file longer than the archive": rawtars.header(b"layer.tar", size=1 << 40) + bytes(4096),
    "the last byte missing": rawtars.file(b"layer.tar", bytes(1000))[:-1],
    "an extension without its entry": rawtars.pax({b"path": b"x"}),
}


@pytest.mark.parametrize("data", SHORT.values(), ids=SHORT.keys())
def test_an_archive_that_ends_too_soon_says_so_as_docker_does(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ShortArchive, match=r"^unexpected EOF$"):
        _contents(tmp_path, data)


def test_what_follows_the_end_is_not_looked_at(tmp_path: Path) -> None:
    contents = _contents(tmp_path, rawtars.archive(_FILE) + rawtars.file(b"index.json", b"{}"))
    assert "index.json" not in contents


def test_a_document_larger_than_allowed_is_not_read(tmp_path: Path) -> None:
    contents = _contents(tmp_path, rawtars.archive(rawtars.file(b"manifest.json", bytes(5000))))
    with pytest.raises(BadArchive, match="larger than 4096 bytes"):
        contents.read("manifest.json", 4096)
