"""A build context that comes as an archive."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.build.sources.trees import selected

from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.tarcontext import MarkedName, is_archive, unpack
from millefeuille.errors import MilleError
from millefeuille.layers.compression import zstd
from millefeuille.layers.refusal import TarError


def entry(name: str, kind: bytes = tarfile.REGTYPE, *, link: str = "", mode: int = 0o640) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.mode, made.mtime = kind, link, mode, 1234
    made.uid = made.gid = 1000
    return made


def tar(*entries: tarfile.TarInfo, content: bytes = b"content") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for made in entries:
            made.size = len(content) if made.type == tarfile.REGTYPE else 0
            archive.addfile(made, io.BytesIO(content) if made.size else None)
    return out.getvalue()


PLAIN = tar(
    entry("./Dockerfile"), entry("a/", tarfile.DIRTYPE, mode=0o750), entry("a/x"),
    entry("a/l", tarfile.SYMTYPE, link="x"), entry("h", tarfile.LNKTYPE, link="a/x"),
)  # fmt: skip


def slices(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd.compress])
@pytest.mark.parametrize("size", [1, 100_000])
def test_it_is_a_directory(tmp_path: Path, pack: Callable[[bytes], bytes], size: int) -> None:
    found = unpack(slices(pack(PLAIN), size), str(tmp_path))
    assert found.newest == 1234
    assert os.listdir(tmp_path) == ["context"]
    with DirectorySource(found.root) as source:
        assert selected(source, ".") == "Dockerfile a/ a/l a/x h"
        entries = {item.path: item.entry for match in source.match(".") for item in match.items}
        assert (entries[b"a"].mode, entries[b"a/x"].mode, entries[b"a/x"].mtime) == (0o750, 0o640, 1234)
        assert entries[b"h"].link == b"a/x"
        (match,) = source.match("a/l")
        assert source.open(match.items[0]) == b"content"


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (PLAIN, True),
        (gzip.compress(PLAIN), True),
        (bz2.compress(PLAIN), True),
        (lzma.compress(PLAIN), True),
        (zstd.compress(PLAIN), True),
        (b"FROM scratch\n", False),
        (b"", False),
        (b"FROM scratch\n" + b"# x\n" * 1000, False),
        (gzip.compress(b"FROM scratch\n" + b"# x\n" * 1000), False),
        (b"\x1f\x8b" + bytes(100), False),
        (tar(), True),
    ],
)
def test_what_is_an_archive(data: bytes, answer: bool) -> None:
    assert is_archive(data) is answer


HOSTILE = {
    "climbs": [entry("../x")],
    "link out": [entry("d", tarfile.SYMTYPE, link="/tmp"), entry("d/x")],
    "hard link out": [entry("x", tarfile.LNKTYPE, link="../../etc/passwd")],
    "hard link to nothing": [entry("x", tarfile.LNKTYPE, link="etc/passwd")],
    "absolute": [entry("/etc/x")],
    "root a link": [entry(".", tarfile.SYMTYPE, link="/tmp")],
}


@pytest.mark.parametrize("case", HOSTILE)
def test_nothing_is_written_elsewhere(tmp_path: Path, case: str) -> None:
    (tmp_path / "spool").mkdir()
    before = set(os.listdir("/tmp"))
    try:
        unpack([tar(*HOSTILE[case])], str(tmp_path / "spool"))
    except MilleError:
        pass
    assert os.listdir(tmp_path) == ["spool"]
    assert "x" not in set(os.listdir("/tmp")) - before
    assert not (Path("/etc/x")).exists()


@pytest.mark.parametrize(
    "data", [PLAIN[:515], gzip.compress(PLAIN)[:-9], b"\x1f\x8b\x08" + bytes(600), b"FROM x"]
)
def test_broken_ones_are_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(MilleError):
        unpack([data], str(tmp_path))


def test_marks_of_layers_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(MarkedName, match="'a/b'"):
        unpack([tar(entry("a/.wh.b"))], str(tmp_path))


def test_a_tar_that_ends_early_is_no_layer(tmp_path: Path) -> None:
    with pytest.raises(TarError, match=r"^the tar is refused: it ends in the middle of an entry$"):
        unpack([tar(entry("a"), content=b"x" * 5000)[:3000]], str(tmp_path))


def test_an_error_of_the_sender_is_raised(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield PLAIN[:600]
        raise TarError("test", "the sender hung up")

    with pytest.raises(TarError, match="hung up"):
        unpack(chunks(), str(tmp_path))


def test_nothing_is_an_empty_context(tmp_path: Path) -> None:
    assert unpack([], str(tmp_path)).newest is None
    assert os.listdir(tmp_path / "context") == []
