"""What is carried as a tar: read back by Python's tarfile, by GNU tar and by our own parser."""

from __future__ import annotations

import io
import subprocess
import tarfile

import pytest

from millefeuille.layers.carried import Run, TarOutput, tar_size
from millefeuille.layers.entry import DIRECTORY, FIFO, FILE, HARDLINK, SYMLINK
from millefeuille.layers.index import IndexBuilder, LayerIndex
from millefeuille.layers.tar import TarParser
from millefeuille.layers.tarheader import Metadata

RUNS: list[Run] = [(4096, b"hello"), (1_500_000, b"end")]
ENTRIES = [
    (Metadata(path=b"d", kind=DIRECTORY, mode=0o1755, uid=3_000_000, mtime=1_600_000_000, nsec=5), []),
    (Metadata(path=b"d/holes", kind=FILE, mode=0o4644, size=2_000_001, mtime=-7), RUNS),
    (Metadata(path=b"d/" + b"n" * 200, kind=FILE, mode=0o600, size=3), [(0, b"abc")]),
    (Metadata(path=b"d/\xff\n", kind=SYMLINK, mode=0o777, link=b"l" * 300), []),
    (Metadata(path=b"d/again", kind=HARDLINK, mode=0o600, link=b"d/holes"), []),
    (Metadata(path=b"d/fifo", kind=FIFO, mode=0o600), []),
    (Metadata(path=b"d/empty", kind=FILE, mode=0o600, size=0, xattrs={b"user.x": b"1\0=\n"}), []),
]


@pytest.fixture(scope="module")
def tar() -> bytes:
    out = io.BytesIO()
    output = TarOutput(out.write)
    for entry, runs in ENTRIES:
        output.add(entry, lambda runs=runs: runs)
    output.finish()
    return out.getvalue()


def test_size_is_known_before(tar: bytes) -> None:
    assert sum(tar_size(entry) for entry, _ in ENTRIES) + 1024 == len(tar)


def test_tarfile_reads_it(tar: bytes) -> None:
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        members = archive.getmembers()
        holes = archive.extractfile("d/holes")
        assert holes is not None
        data = holes.read()
    assert [member.name.encode("utf-8", "surrogateescape") for member in members] == [
        entry.path for entry, _ in ENTRIES
    ]
    assert [(member.mode, member.uid, int(member.mtime)) for member in members[:2]] == [
        (0o1755, 3_000_000, 1_600_000_000), (0o4644, 0, -7)
    ]  # fmt: skip
    assert (len(data), data[4096:4101], data[1_500_000:1_500_003]) == (2_000_001, b"hello", b"end")
    assert data.count(0) == len(data) - 8


def test_gnu_tar_reads_it(tar: bytes) -> None:
    done = subprocess.run(["tar", "tf", "-"], input=tar, capture_output=True, check=True)
    assert len(done.stdout.splitlines()) == len(ENTRIES)


def test_the_parser_reads_it(tar: bytes) -> None:
    builder = IndexBuilder()
    parser = TarParser(builder)
    parser.feed(tar)
    parser.finish()
    index = LayerIndex(builder.finish())
    read = [index.entry(number) for number in range(len(index))]
    assert [(e.path, e.kind, e.size, e.mtime, e.link) for e in read] == [
        (e.path, e.kind, e.size if e.kind == FILE else 0, e.mtime, e.link) for e, _ in ENTRIES
    ]
    assert dict(read[-1].xattrs) == {b"user.x": b"1\0=\n"}
