"""Headers as other programs read them, and as our own parser does."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.layers.overlays import index_of

from millefeuille.layers import tarheader
from millefeuille.layers.entry import (
    BLOCK,
    CHARACTER,
    DIRECTORY,
    FIFO,
    FILE,
    HARDLINK,
    SYMLINK,
)
from millefeuille.layers.ingest import CHUNK
from millefeuille.layers.tarheader import Metadata, encode
from millefeuille.layers.tarstream import Member, tar_pieces

PLAIN = Metadata(path=b"etc/passwd", kind=FILE, mode=0o644, uid=1, gid=2, size=3, mtime=1_700_000_000)


def read(entry: Metadata) -> tarfile.TarInfo:
    with tarfile.open(fileobj=io.BytesIO(encode(entry) + bytes(2048))) as archive:
        found = archive.next()
    assert found is not None
    return found


def test_a_plain_entry_is_one_block_as_go_writes_it() -> None:
    block = encode(PLAIN)
    assert len(block) == 512
    assert block[:10] == b"etc/passwd"
    assert block[100:124] == b"0000644\x000000001\x000000002\x00"
    assert block[124:148] == b"00000000003\x0014524770400\x00"
    assert block[156:157] == b"0"
    assert block[257:265] == b"ustar\x0000"
    assert block[265:329] == bytes(64)  # no names of owners
    assert block[329:345] == b"0000000\x000000000\0"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"path": "é".encode()}, "path"),
        ({"path": b"x" * 101}, "path"),
        ({"path": b"p/" + b"x" * 101}, "path"),
        ({"kind": SYMLINK, "link": b"t" * 101}, "linkpath"),
        ({"uid": 0o10000000}, "uid"),
        ({"gid": 1 << 31}, "gid"),
        ({"size": 8 << 30}, "size"),
        ({"mtime": -1}, "mtime"),
        ({"nsec": 1}, "mtime"),
        ({"xattrs": {b"user.a": b"\0\n="}}, "SCHILY.xattr.user.a"),
    ],
)
def test_what_does_not_fit_has_a_record(change: dict[str, object], key: str) -> None:
    assert list(read(PLAIN._replace(**change)).pax_headers) == [key]  # type: ignore[arg-type]


def test_what_just_fits_has_none() -> None:
    for change in (
        {"path": b"x" * 100}, {"path": b"p" * 155 + b"/" + b"x" * 100}, {"uid": 0o7777777},
        {"size": (8 << 30) - 1}, {"mtime": 0o77777777777}, {"kind": SYMLINK, "link": b"t" * 100},
    ):  # fmt: skip
        found = read(PLAIN._replace(**change))  # type: ignore[arg-type]
        assert not found.pax_headers
        assert found.name.encode() == change.get("path", PLAIN.path)


def test_records_are_sorted_and_the_header_names_no_process() -> None:
    entry = PLAIN._replace(
        path="d/é".encode(), uid=1 << 30, nsec=5, xattrs={b"user.b": b"2", b"security.capability": b"1"}
    )
    blocks = encode(entry)
    assert blocks[:16] == b"d/PaxHeaders.0\0\0"
    keys = [record.partition(b"=")[0].partition(b" ")[2] for record in blocks[512:1024].split(b"\n")[:-1]]
    assert keys == sorted(keys)
    assert len(keys) == 5
    assert blocks == encode(entry._replace(xattrs=dict(reversed(entry.xattrs.items()))))


NAME = st.binary(min_size=1, max_size=120).filter(lambda name: not set(b"/\0").intersection(name))
TEXT = st.lists(NAME, min_size=1, max_size=3).map(b"/".join)


@given(
    path=TEXT.filter(lambda path: not any(p in (b".", b"..") or p[:4] == b".wh." for p in path.split(b"/"))),
    kind=st.sampled_from([FILE, DIRECTORY, SYMLINK, CHARACTER, BLOCK, FIFO]),
    numbers=st.tuples(st.integers(0, 0o7777), st.integers(0, 2**32 - 2), st.integers(0, 2**32 - 2)),
    time=st.tuples(st.integers(-(2**33), 2**33), st.integers(0, 999_999_999)),
    link=TEXT,
    data=st.binary(max_size=1500),
    xattrs=st.dictionaries(st.binary(min_size=1, max_size=20).map(lambda n: b"user.n" + n), st.binary()),
)
def test_our_parser_reads_what_was_written(
    path: bytes, kind: int, numbers: tuple[int, int, int], time: tuple[int, int], link: bytes, data: bytes,
    xattrs: dict[bytes, bytes],
) -> None:  # fmt: skip
    mode, uid, gid = numbers
    xattrs = {key: value for key, value in xattrs.items() if not set(b"=\0").intersection(key) and value}
    entry = Metadata(
        path=path, kind=kind, mode=mode, uid=uid, gid=gid, size=len(data) if kind == FILE else 0,
        mtime=time[0], nsec=time[1], link=link if kind == SYMLINK else b"",
        device=(5, 1 << 19) if kind in (CHARACTER, BLOCK) else (0, 0), xattrs=xattrs,
    )  # fmt: skip
    index = index_of(b"".join(tar_pieces([(entry, data if kind == FILE else None)])))
    (found,) = (index.entry(number) for number in range(len(index)))
    assert (found.path, found.kind, found.mode, found.uid, found.gid) == (path, kind, mode, uid, gid)
    assert (found.size, found.mtime, found.nsec, found.link) == (entry.size, *time, entry.link)
    assert (found.device, dict(found.xattrs)) == (entry.device, xattrs)
    assert index.notes() == []


def test_gnu_tar_reads_what_was_written(tmp_path: Path) -> None:
    names = [b"a", b"d/" + b"n" * 99, b"l" * 120, "ü".encode(), b"p" * 150 + b"/" + b"q" * 90]
    members = [(PLAIN._replace(path=name, size=2, nsec=7), b"hi") for name in names]
    members.append((PLAIN._replace(path=b"hard", kind=HARDLINK, link=names[2]), b""))
    (tmp_path / "x.tar").write_bytes(b"".join(tar_pieces(members)))
    command = ["tar", "--quoting-style=literal", "-tf", str(tmp_path / "x.tar")]
    listed = subprocess.run(command, capture_output=True, check=True)
    assert listed.stdout.split(b"\n")[:-1] == [*names, b"hard"]
    assert listed.stderr == b""


def test_a_file_that_became_shorter_or_longer(tmp_path: Path) -> None:
    for size in (10, 3000, 3 * CHUNK + 5):
        (tmp_path / "f").write_bytes(b"x" * 2000)
        with (tmp_path / "f").open("rb") as file:
            tar = b"".join(tar_pieces([(PLAIN._replace(size=size), file.fileno())]))
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            reader = archive.extractfile("etc/passwd")
            assert reader is not None
            assert reader.read() == b"x" * min(2000, size) + bytes(max(0, size - 2000))


def test_pieces_are_of_bounded_size(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * (5 * CHUNK))
    with (tmp_path / "f").open("rb") as file:
        members = [(PLAIN, b"abc"), (PLAIN._replace(size=5 * CHUNK), file.fileno()), (PLAIN, b"abc")]
        assert max(map(len, tar_pieces(members))) <= 2 * CHUNK


@given(
    st.builds(
        Metadata,
        path=st.binary(min_size=0, max_size=120).map(lambda path: path.replace(b"\0", b"x").strip(b"/")),
        kind=st.sampled_from([FILE, DIRECTORY]),
        mode=st.integers(0, 0o7777),
        uid=st.integers(0, 0o7777777),
        gid=st.integers(0, 1 << 32),
        size=st.integers(0, 1 << 34),
        mtime=st.integers(-5, 1 << 34),
        nsec=st.sampled_from([0, 0, 5]),
        link=st.just(b""),  # nothing but a link has one
        device=st.just((0, 0)),
    )
)
def test_headers_with_nothing_special_are_the_general_ones(entry: Metadata) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tarheader, "_TAILS", {})
        general = encode(entry)
    assert encode(entry) == general


@given(st.lists(st.integers(0, 3 * CHUNK), max_size=5), st.booleans())
def test_pieces_are_full_but_for_the_last(sizes: list[int], in_files: bool) -> None:
    with tempfile.TemporaryDirectory() as directory:
        members: list[Member] = []
        for number, size in enumerate(sizes):
            content: bytes | int = bytes([number]) * size
            if in_files:
                path = Path(directory, str(number))
                path.write_bytes(bytes([number]) * size)
                content = os.open(path, os.O_RDONLY)
            members.append((PLAIN._replace(size=size), content))
        pieces = list(tar_pieces(members))
        for _, content in members:
            if isinstance(content, int):
                os.close(content)
    assert all(len(piece) == CHUNK for piece in pieces[:-1]) and len(pieces[-1]) < CHUNK
    expected = b"".join(
        encode(entry) + bytes([number]) * entry.size + bytes(-entry.size % 512)
        for number, (entry, _) in enumerate(members)
    )
    assert b"".join(pieces) == expected + bytes(1024)
