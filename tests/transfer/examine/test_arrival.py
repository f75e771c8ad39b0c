"""What comes through a pipe: no more of it is kept than can be an archive, and a full disk is told of."""

from __future__ import annotations

import errno
import zlib
from pathlib import Path

import pytest
from tests.analysis.conftest import write_archive

from millefeuille import files
from millefeuille.testing import rawtars
from millefeuille.transfer.archive.contents import BadArchive, ShortArchive
from millefeuille.transfer.examine.archive import examine_archive


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("block", "message"),
    [(bytes(4096), "unrecognized image format"), (b"no tar: " * 512, "invalid archive: a header")],
)
def test_what_is_no_archive_is_refused_by_its_first_block(
    block: bytes, message: str, packed: bool, tmp_path: Path
) -> None:
    packer = zlib.compressobj(wbits=31)
    asked = []

    def read(count: int) -> bytes:
        asked.append(count)
        assert len(asked) < 100, "read without end"
        return packer.compress(block * 8) + packer.flush(zlib.Z_SYNC_FLUSH) if packed else block

    with pytest.raises(BadArchive, match=message):
        examine_archive(read, "x", scratch=str(tmp_path))
    assert len(asked) < 5


def test_a_full_scratch_directory_is_no_full_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_archive(tmp_path / "image.tar", [rawtars.archive(rawtars.file(b"f", b"x"))])

    def full(descriptor: int, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "write", full)
    with open(tmp_path / "image.tar", "rb") as file, pytest.raises(files.DiskFull) as raised:
        examine_archive(file.read, "x", scratch=str(tmp_path))
    assert str(raised.value) == f"{tmp_path}: no space left on device"
    assert "TMPDIR" in (raised.value.advice or "") and "prune" not in (raised.value.advice or "")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello\n", "not a whole archive of images (unexpected EOF)"),
        (bytes(1024), "unrecognized image format"),
        (b"no tar: " * 512, "invalid archive: a header's checksum is not a number"),
    ],
)
def test_what_is_no_archive_is_named(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(data)
    with open(tmp_path / "file", "rb") as file, pytest.raises((BadArchive, ShortArchive)) as raised:
        examine_archive(file.fileno(), "x\udcffy", scratch=str(tmp_path))
    assert str(raised.value) == f"x\udcffy: {message}"
