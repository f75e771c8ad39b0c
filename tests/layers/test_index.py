"""The layer index: what goes in comes out, in columns, and no damage goes unseen."""

from __future__ import annotations

from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from millefeuille.layers import columns
from millefeuille.layers.columns import CorruptIndex, UnknownIndexVersion
from millefeuille.layers.entry import BLOCK, CHARACTER, FILE, OPAQUE, SYMLINK, WHITEOUT, Entry
from millefeuille.layers.index import IndexBuilder, LayerIndex

ENTRIES = st.builds(
    Entry,
    path=st.binary(max_size=20),
    kind=st.sampled_from([FILE, SYMLINK, BLOCK, CHARACTER]),
    size=st.integers(0, 1 << 60),
    mode=st.integers(0, 0o7777),
    uid=st.integers(0, (1 << 32) - 1),
    gid=st.integers(0, (1 << 32) - 1),
    mtime=st.integers(-(1 << 63), (1 << 63) - 1),
    nsec=st.integers(0, 999_999_999),
    header=st.integers(0, (1 << 32) - 1).map(lambda block: block * 512),
    data=st.integers(0, (1 << 32) - 1).map(lambda block: block * 512),
    link=st.binary(max_size=10),
    xattrs=st.dictionaries(st.binary(max_size=5), st.binary(max_size=300), max_size=2),
)


def build(entries: list[Entry]) -> IndexBuilder:
    builder = IndexBuilder()
    for entry in entries:
        number = builder.add(
            entry.path, entry.kind, entry.mode, entry.uid, entry.gid, entry.size, entry.mtime, entry.nsec,
            entry.header, entry.data, entry.content is not None, entry.link, entry.xattrs,
        )  # fmt: skip
        if entry.content is not None:
            builder.add_hash(entry.content)
        if entry.device != (0, 0):
            builder.add_device(number, *entry.device)
        if entry.sparse is not None:
            builder.add_sparse(number, entry.sparse)
    return builder


def plain(path: bytes, **fields: object) -> Entry:
    everything = {
        "kind": FILE, "size": 0, "mode": 0o644, "uid": 0, "gid": 0, "mtime": 0, "nsec": 0, "header": 0,
        "data": 512,
    }  # fmt: skip
    return Entry(path=path, **{**everything, **fields})  # type: ignore[arg-type]  # passed on


@settings(max_examples=100, deadline=None)
@given(st.lists(ENTRIES, max_size=8))
def test_entries_come_out_as_they_went_in(entries: list[Entry]) -> None:
    builder = build(entries)
    index = LayerIndex(builder.finish())
    index.verify()
    assert len(index) == len(builder) == len(entries)
    empty = blake3(b"").digest()
    for number, entry in enumerate(entries):
        found = index.entry(number)
        assert found.content == (empty if entry.kind == FILE and not entry.size else None)
        for name in ("path", "kind", "size", "mode", "uid", "gid", "mtime", "nsec", "header", "data", "link"):
            assert getattr(found, name) == getattr(entry, name), name
        assert dict(found.xattrs) == dict(entry.xattrs)
    assert index.paths() == [entry.path for entry in entries]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([b"", b"a", b"a/b", b"a/c", b"a-b", b"ab", b"b/c"]), max_size=12))
def test_paths_are_found(paths: list[bytes]) -> None:
    index = LayerIndex(build([plain(path) for path in paths]).finish())
    for path in {*paths, b"nowhere", b"a/"}:
        last = max((n for n, other in enumerate(paths) if other == path), default=None)
        assert index.find(path) == last
    assert [index.path(n) for n in index.below(b"a")] == sorted(p for p in paths if p.startswith(b"a/"))
    assert [index.path(n) for n in index.below(b"")] == sorted(p for p in paths if p)


def test_marks_are_not_found_as_entries() -> None:
    index = LayerIndex(build([plain(b"a"), plain(b"a", kind=WHITEOUT), plain(b"d", kind=OPAQUE)]).finish())
    assert index.find(b"a") == 0
    assert index.find(b"d") is None


def test_what_only_some_entries_have() -> None:
    digest = blake3(b"content").digest()
    entries = [
        plain(b"a"),
        plain(b"device", kind=BLOCK, device=(259, 65536)),
        plain(b"f", size=7, content=digest),
        plain(b"hole", size=10_000, sparse=((0, 5), (9_000, 10)), content=digest),
        plain(b"x", xattrs={b"user.a": b"\0"}),
        plain(b"y", xattrs={b"user.a": b"\0"}),
    ]
    index = LayerIndex(build(entries).finish())
    assert [index.device(n) for n in range(3)] == [(0, 0), (259, 65536), (0, 0)]
    assert index.content(2) == index.content(3) == digest
    assert index.sparse(2) is None
    assert index.sparse(3) == ((0, 5), (9_000, 10))
    assert index.xattr_sets[4] == index.xattr_sets[5] != 0
    assert index.xattrs(4) == {b"user.a": b"\0"}
    assert index.content_size == 10_007


def test_compressed_offsets_lie_between_known_points() -> None:
    builder = build([plain(b"a", header=0), plain(b"b", header=512 << 10), plain(b"c", header=1024 << 10)])
    for tar, compressed in ((0, 0), (512 << 10, 1000), (513 << 10, 1), (1024 << 10, 3000)):
        builder.add_point(tar, compressed)
    builder.set_facts(tar_size=2048 << 10, end=2000, compressed_size=9000, lower_links=3)
    index = LayerIndex(builder.finish())
    assert [index.compressed_offset(n) for n in range(3)] == [0, 1000, 3000]
    assert (index.tar_size, index.end, index.compressed_size, index.lower_links) == (
        2048 << 10,
        2000,
        9000,
        3,
    )


def test_checkpoints_and_notes() -> None:
    builder = build([])
    builder.add_note("xattr", b"a b\n")
    index = LayerIndex(builder.finish(b"table"))
    assert index.notes() == [("xattr", b"a b\n")]
    assert bytes(index.checkpoints() or b"") == b"table"
    assert LayerIndex(build([]).finish()).checkpoints() is None


def test_equal_layers_have_equal_indexes() -> None:
    entries = [plain(b"a", xattrs={b"user.b": b"1", b"user.a": b"2"})]
    other = [plain(b"a", xattrs={b"user.a": b"2", b"user.b": b"1"})]
    assert build(entries).finish() == build(other).finish()


def test_open_maps_the_file(tmp_path: Path) -> None:
    path = tmp_path / "index"
    path.write_bytes(build([plain(b"a")]).finish())
    index = LayerIndex.open(str(path))
    index.verify()
    assert index.paths() == [b"a"]
    path.write_bytes(b"")
    with pytest.raises(CorruptIndex):
        LayerIndex.open(str(path))


def test_every_changed_byte_is_found() -> None:
    encoded = build([plain(b"a", size=3, content=bytes(32)), plain(b"b", link=b"c")]).finish()
    for at in range(len(encoded)):
        damaged = bytearray(encoded)
        damaged[at] ^= 0x10
        with pytest.raises((CorruptIndex, UnknownIndexVersion)):
            LayerIndex(bytes(damaged)).verify()


def test_every_cut_is_found() -> None:
    encoded = build([plain(b"a")]).finish()
    for size in range(len(encoded)):
        with pytest.raises(CorruptIndex):
            LayerIndex(encoded[:size])


def test_other_versions_are_told_apart_from_damage() -> None:
    encoded = bytearray(build([]).finish())
    encoded[8] = 99
    with pytest.raises(UnknownIndexVersion, match="99"):
        LayerIndex(bytes(encoded))


def test_a_missing_column_is_damage() -> None:
    with pytest.raises(CorruptIndex, match="facts"):
        LayerIndex(columns.pack([(b"other", b"1234")]))


def test_unknown_sections_are_left_alone() -> None:
    sections = columns.unpack(build([plain(b"a")]).finish())
    more = [(b"later", b"?"), *sections.items()]
    assert LayerIndex(columns.pack(more)).paths() == [b"a"]


def test_a_column_of_another_length_is_damage() -> None:
    sections = columns.unpack(build([plain(b"a")]).finish())
    sections[b"uid"] = memoryview(bytes(8))
    with pytest.raises(CorruptIndex, match="differ in length"):
        LayerIndex(columns.pack(list(sections.items())))


def test_sections_begin_on_eight_bytes() -> None:
    packed = columns.pack([(b"a", b"1"), (b"b", b"22"), (b"c", b"")])
    sections = columns.unpack(packed)
    assert {name: bytes(content) for name, content in sections.items()} == {
        b"a": b"1",
        b"b": b"22",
        b"c": b"",
    }
    assert packed.index(b"22") % 8 == 0
