"""The tar parser against GNU tar and Python's tarfile, and against input cut and changed at random."""

from __future__ import annotations

import bz2
import contextlib
import io
import lzma
import os
import stat
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from millefeuille.layers.entry import DIRECTORY, FIFO, FILE, HARDLINK, SYMLINK, Entry
from millefeuille.layers.index import IndexBuilder, LayerIndex
from millefeuille.layers.tar import Limits, TarError, TarParser
from millefeuille.layers.tree import merge
from millefeuille.testing import rawtars
from millefeuille.testing.trees import walk

LONG = "directory-with-a-name-of-some-length/" * 4 + "f" * 120
SPARSE_SIZE = 300_000


def parse(tar: bytes, piece: int = 1 << 20, limits: Limits | None = None) -> LayerIndex:
    builder = IndexBuilder()
    parser = TarParser(builder, limits=limits)
    for at in range(0, len(tar), piece):
        parser.feed(tar[at : at + piece], at // 3)
    parser.finish()
    return LayerIndex(builder.finish())


def entries(index: LayerIndex) -> list[Entry]:
    return [index.entry(number) for number in range(len(index))]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with one of everything that any user may make."""
    root = tmp_path_factory.mktemp("tree")
    (root / "empty").touch()
    (root / "small").write_bytes(b"small")
    (root / "block").write_bytes(bytes(range(256)) * 2)
    (root / "big").write_bytes(os.urandom(3_000_001))
    (root / "sub" / "deeper").mkdir(parents=True)
    (root / "sub" / "setuid").write_bytes(b"#!")
    (root / "sub" / "setuid").chmod(0o4755)
    (root / "sub" / "deeper").chmod(0o1777)
    os.symlink("../small", root / "sub" / "symlink")
    os.link(root / "small", root / "sub" / "hardlink")
    os.mkfifo(root / "sub" / "pipe")
    with (root / "hole").open("wb") as file:
        file.truncate(SPARSE_SIZE)
        file.seek(100_000)
        file.write(b"middle")
    for path in (*below(root), root):
        os.utime(path, ns=(0, 1_600_000_000_123_456_789), follow_symlinks=False)
    return root


@pytest.fixture(scope="module")
def long_tree(tree: Path) -> Path:
    """The same with names that need extensions."""
    path = tree / LONG
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"long")
    os.symlink("t" * 300, tree / "long-link")
    (tree / "caf\u00e9 \n").write_bytes(b"unicode")
    return tree


def below(root: Path) -> Iterator[Path]:
    """All paths under `root`; unlike rglob it does not stumble over a link with a long target."""
    for directory, directories, names in os.walk(root):
        yield from (Path(directory, name) for name in (*directories, *names))


def check_against_disk(root: Path, tar: bytes, *, whole_seconds: bool) -> None:
    index = parse(tar)
    index.verify()
    found = dict(walk(merge([index])))
    expected = {os.fsencode(path.relative_to(root)): path for path in below(root)}
    assert found.keys() - {b""} == expected.keys()
    for name, path in expected.items():
        node, status = found[name], path.lstat()
        size = 0 if stat.S_ISDIR(status.st_mode) else status.st_size
        assert (node.mode, node.uid, node.gid, node.size) == (
            status.st_mode, status.st_uid, status.st_gid, size,
        ), name  # fmt: skip
        nanoseconds = status.st_mtime_ns // 10**9 * 10**9 if whole_seconds else status.st_mtime_ns
        assert node.mtime * 10**9 + node.nsec == nanoseconds, name
        if stat.S_ISLNK(node.mode):
            assert node.link == os.fsencode(os.readlink(path))
        if stat.S_ISREG(node.mode):
            assert node.nlink == status.st_nlink
            assert index.content(node.entry) == blake3(path.read_bytes()).digest(), name


def gnu_tar(root: Path, *options: str) -> bytes:
    return subprocess.run(
        ["tar", "-C", root, "-cf", "-", *options, "."], stdout=subprocess.PIPE, check=True
    ).stdout


@pytest.mark.parametrize("form", ["gnu", "oldgnu", "posix"])
def test_whole_trees_by_gnu_tar(long_tree: Path, form: str) -> None:
    check_against_disk(long_tree, gnu_tar(long_tree, f"--format={form}"), whole_seconds=form != "posix")


@pytest.mark.parametrize("options", [
    ("--format=oldgnu",), ("--format=gnu",), ("--format=posix", "--sparse-version=0.0"),
    ("--format=posix", "--sparse-version=0.1"), ("--format=posix", "--sparse-version=1.0"),
])  # fmt: skip
def test_sparse_files_by_gnu_tar(long_tree: Path, options: tuple[str, ...]) -> None:
    tar = gnu_tar(long_tree, "--sparse", *options)
    check_against_disk(long_tree, tar, whole_seconds="posix" not in options[0])
    index = parse(tar)
    number = index.find(b"hole")
    assert number is not None
    runs = index.sparse(number)
    assert runs is not None
    assert sum(length for _, length in runs) < SPARSE_SIZE


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_whole_trees_by_python(tree: Path, form: int) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for path in sorted(below(tree)):
            if len(str(path.relative_to(tree))) < 90 and path.name.isascii() and path.name != "long-link":
                archive.add(path, str(path.relative_to(tree)), recursive=False)
    index = parse(buffer.getvalue())
    kinds = {
        tarfile.REGTYPE: FILE, tarfile.DIRTYPE: DIRECTORY, tarfile.SYMTYPE: SYMLINK,
        tarfile.LNKTYPE: HARDLINK, tarfile.FIFOTYPE: FIFO,
    }  # fmt: skip
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as archive:
        members = archive.getmembers()
    assert len(members) == len(index)
    for entry, member in zip(entries(index), members, strict=True):
        assert entry.path == os.fsencode(member.name)
        assert (entry.kind, entry.mode, entry.uid, entry.gid) == (
            kinds[member.type], member.mode, member.uid, member.gid,
        )  # fmt: skip
        assert (entry.size, entry.link) == (member.size, os.fsencode(member.linkname))
        assert entry.mtime == int(member.mtime)
        assert (entry.header, entry.data) == (member.offset, member.offset_data)


def test_v7_trees_by_gnu_tar(tree: Path) -> None:
    names = ["empty", "small", "block", "big", "sub"]
    command = ["tar", "-C", tree, "-cf", "-", "--format=v7", "--exclude=pipe", *names]
    tar = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    listed = subprocess.run(["tar", "-tf", "-"], input=tar, stdout=subprocess.PIPE, check=True).stdout
    assert [entry.path for entry in entries(parse(tar))] == [
        name.rstrip(b"/") for name in listed.splitlines()
    ]


TAR = rawtars.archive(
    rawtars.directory(b"./"),
    rawtars.file(b"./a", b"1" * 700),
    rawtars.pax({b"path": b"p" * 200, b"mtime": b"1.5", b"SCHILY.xattr.user.x": b"y"}),
    rawtars.file(b"x", b"2" * 512),
    rawtars.long_name(b"l" * 150),
    rawtars.symlink(b"x", b"t", magic=rawtars.GNU),
    rawtars.pax_sparse(b"sparse", [(100, 50), (1000, 24)], 2000, b"s" * 74, "1.0"),
    rawtars.hardlink(b"h", b"a"),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(TAR)), max_size=12))
def test_pieces_make_no_difference(cuts: list[int]) -> None:
    builder = IndexBuilder()
    parser = TarParser(builder)
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(TAR)], strict=True):
        parser.feed(memoryview(TAR)[start:end])
    parser.finish()
    assert entries(LayerIndex(builder.finish())) == entries(parse(TAR))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(TAR) - 1), st.binary(min_size=1, max_size=8))
def test_changed_bytes_are_read_or_refused(at: int, change: bytes) -> None:
    changed = TAR[:at] + change + TAR[at + len(change) :]
    try:
        index = parse(changed)
    except TarError as error:
        assert "\n" not in str(error)
        return
    assert index.tar_size == len(changed)


@pytest.mark.parametrize(("compress", "name"), [(bz2.compress, "bzip2"), (lzma.compress, "xz")])
@pytest.mark.parametrize("size", [1, 100_000])
@pytest.mark.parametrize("piece", [100, 1 << 20])
def test_a_compression_that_is_not_read_is_named(
    compress: Callable[[bytes], bytes], name: str, size: int, piece: int
) -> None:
    with pytest.raises(TarError) as caught:
        parse(compress(rawtars.archive(rawtars.file(b"x", os.urandom(size)))), piece)
    assert caught.value.rule == "compression"
    assert str(caught.value).endswith(f"it is compressed with {name}, which layers are not read in")


def test_a_tar_may_begin_like_one() -> None:
    assert [entry.path for entry in entries(parse(rawtars.archive(rawtars.file(b"BZh91AY"))))] == [b"BZh91AY"]


HEADERS = [at for at in range(0, len(TAR), 512) if TAR[at + 257 : at + 262] == b"ustar"]


@settings(max_examples=500, deadline=None)
@given(
    st.sampled_from(HEADERS),
    st.sampled_from([0, 99, 100, 108, 116, 124, 130, 135, 136, 147, 156, 157, 257, 263, 329, 345, 482, 495]),
    st.text("0123456789 \0/.xgLKSMD\x80\xff", min_size=1, max_size=4).map(
        lambda text: text.encode("latin-1")
    ),
)
def test_changed_headers_with_right_checksums_are_read_or_refused(at: int, field: int, change: bytes) -> None:
    block = bytearray(TAR[at : at + 512])
    block[field : field + len(change)] = change
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    changed = TAR[:at] + block + TAR[at + 512 :]
    try:
        ours = [(entry.data, entry.size) for entry in entries(parse(changed)) if entry.kind == FILE]
    except TarError:
        return
    theirs = []
    with (
        contextlib.suppress(tarfile.TarError),
        tarfile.open(fileobj=io.BytesIO(changed), mode="r:") as archive,
    ):
        theirs += [(member.offset_data, member.size) for member in archive if member.isreg() and member.size]
    # tarfile ends a listing silently at what it does not understand, and reads no unknown type as a file;
    # an empty file with a slash behind its name is a directory to us.
    assert set(theirs) <= set(ours)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(TAR)))
def test_cut_tars_are_read_at_entry_bounds_only(size: int) -> None:
    bounds = {0, *range(len(TAR) - 1024, len(TAR) + 1, 512)}
    whole = parse(TAR)
    for number, entry in enumerate(entries(whole)):
        bounds.add(entry.header)
        if entry.kind == FILE:  # what fills up its last block may be missing
            runs = whole.sparse(number)
            size = entry.size if runs is None else sum(length for _, length in runs)
            bounds |= {*range(entry.data + size, entry.data + size + -size % 512)}
    try:
        parse(TAR[:size])
    except TarError:
        assert size not in bounds
    else:
        assert size in bounds


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        (Limits(entries=4), "entries"),
        (Limits(metadata=100), "metadata"),
        (Limits(size=600), "size"),
        (Limits(expanded=1000), "size"),
        (Limits(component=100), "length"),
        (Limits(extension=100), "extension"),
        (Limits(xattr_value=0), "xattr"),
        (Limits(steps=1), "effort"),
    ],
)
def test_limits(limits: Limits, rule: str) -> None:
    tar = TAR if rule != "effort" else rawtars.archive(rawtars.file(b"a/b/c/d"))
    with pytest.raises(TarError) as caught:
        parse(tar, limits=limits)
    assert caught.value.rule == rule


@pytest.mark.parametrize("name", [b"x", b"/x", b"./x", b".//x", b"/./x", b"//x", b"d/../x", b"x/", b"././x"])
def test_every_spelling_of_a_name_is_one_path(name: bytes) -> None:
    tar = rawtars.archive(rawtars.directory(name), rawtars.symlink(name, b"t"), rawtars.directory(name))
    assert parse(tar).paths() == [b"x"] * 3


def test_facts_about_the_whole() -> None:
    index = parse(TAR + b"behind the end")
    assert (index.tar_size, index.end) == (len(TAR) + 14, len(TAR))
    assert index.content_size == 700 + 512 + 2000
    assert index.compressed_size == 0


def test_contents_may_be_left_unhashed() -> None:
    builder = IndexBuilder()
    parser = TarParser(builder, hash_contents=False)
    parser.feed(TAR)
    parser.finish()
    index = LayerIndex(builder.finish())
    assert [index.content(n) for n in range(len(index)) if index.sizes[n]] == [None, None, None]
    assert [(e.path, e.size, e.sparse) for e in entries(index)] == [
        (e.path, e.size, e.sparse) for e in entries(parse(TAR))
    ]


def test_an_error_names_the_entry_on_one_line() -> None:
    with pytest.raises(TarError, match=r"climbs above the root \('\.\./a\\nb'\)") as caught:
        parse(rawtars.archive(rawtars.file(b"../a\nb")))
    assert "\n" not in str(caught.value)
