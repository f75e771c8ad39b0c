"""COPY --from: a root of layers as a source."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.build.copying.roots import d, f, gone, h, layer, root, s, words

from millefeuille.build.copying.copy import CopyWishes, copied
from millefeuille.build.copying.layered import LayeredSource
from millefeuille.build.copying.root import RootTree
from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.source import NotFound
from millefeuille.layers.tarheader import Metadata
from millefeuille.layers.tarstream import Member
from millefeuille.store.filetree import DamagedContent
from millefeuille.store.ingest import making
from millefeuille.store.store import Store
from millefeuille.testing import rawtars

LOWER = [
    d("app", 0o750, 5, 6), f("app/big", b"x" * 700_000, mode=0o4755, uid=5, mtime=77), f("app/old", b"old"),
    d("app/sub", 0o1777, 8, 8), f("app/sub/f", b"f", xattrs={b"user.k": b"v"}), s("link", "app/sub"),
]  # fmt: skip
UPPER = [gone("app/old"), h("app/sub/g", "app/big"), s("app/sub/up", "../../etc")]


def copy(store: Store, layers: Sequence[Sequence[Member]], arguments: str) -> list[tuple[Metadata, bytes]]:
    pattern, target = arguments.split()
    with root(store, *layers) as tree, root(store) as empty:
        source = LayeredSource(tree)
        wishes = CopyWishes(destination=target)
        return [
            (entry, os.read(content, entry.size) if isinstance(content, int) else content or b"")
            for entry, content in copied(empty, source, source.match(pattern), wishes)
        ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("/app /",
         "- 4755 5:0 big; d 1777 8:8 sub; - 644 0:0 sub/f; h 4755 5:0 sub/g -> big; "
         "l 777 0:0 sub/up -> ../../etc"),
        ("link x", "d 755 0:0 x; - 644 0:0 x/f; - 4755 5:0 x/g; l 777 0:0 x/up -> ../../etc"),
        ("link/g x", "- 4755 5:0 x"),
        ("a*/s?b/[fg] x/", "d 755 0:0 x; - 644 0:0 x/f; - 4755 5:0 x/g"),
        ("app/o* x", ""),
    ],
)  # fmt: skip
def test_what_is_copied_keeps_its_owner_and_mode(store: Store, arguments: str, expected: str) -> None:
    found = copy(store, [LOWER, UPPER], arguments)
    assert "; ".join(words(entry) for entry, _ in found) == expected


def test_directories_may_lie_as_deep_as_a_layer_has_them(store: Store) -> None:
    deep = "/".join(["d"] * 1000)
    layers = [[d("top"), f(f"top/{deep}/keep", b"k"), f(f"top/{deep}/out", b"o"), f("top/out", b"o")]]
    with root(store, *layers) as tree:
        source = LayeredSource(tree)
        (kept,) = source.match("top", exclude=["**/out"])
        assert [item.path.rpartition(b"/")[2] for item in kept.items] == [*[b"d"] * 1000, b"keep"]
        (named,) = source.match("top", exclude=["d", "!**/keep"])
        assert [item.path.rpartition(b"/")[2] for item in named.items] == [*[b"d"] * 1000, b"keep", b"out"]


def test_contents_times_and_attributes_are_kept(store: Store) -> None:
    found = {entry.path: (entry, data) for entry, data in copy(store, [LOWER, UPPER], "app /")}
    assert found[b"big"][1] == b"x" * 700_000 and found[b"big"][0].mtime == 77
    assert found[b"sub/f"][1] == b"f" and found[b"sub/f"][0].xattrs == {b"user.k": b"v"}


def test_what_is_gone_is_not_found(store: Store) -> None:
    with root(store, LOWER, UPPER) as tree:
        for path in ("app/old", "/app/sub/up/x", "app/.wh.old"):
            with pytest.raises(NotFound, match="not found"):
                LayeredSource(tree).match(path)


def test_patterns_and_pivots(store: Store) -> None:
    with root(store, LOWER, UPPER) as tree:
        source = LayeredSource(tree)
        kept = source.match("app", exclude=["sub/*", "!sub/f"])
        assert [item.path for item in kept[0].items] == [b"app/big", b"app/sub", b"app/sub/f"]
        pivot = source.match("/app/./**/f", parents=True)
        assert (pivot[0].path, [item.path for item in pivot[0].items]) == (b"app", [b"app/sub", b"app/sub/f"])


def test_equal_trees_are_equal_however_their_layers_lie(store: Store) -> None:
    flat = [
        d("other"), f("other/big", b"x" * 700_000, mode=0o4755, uid=5, mtime=1), d("other/sub", 0o1777, 8, 8),
        f("other/sub/f", b"f", xattrs={b"user.k": b"v"}), h("other/sub/g", "other/big"),
        s("other/sub/up", "../../etc"),
    ]  # fmt: skip
    with root(store, LOWER, UPPER) as one, root(store, flat) as other, root(store, LOWER) as third:
        first, second, different = LayeredSource(one), LayeredSource(other), LayeredSource(third)
        assert first.digest(first.match("app")) == second.digest(second.match("other"))
        assert first.digest(first.match("app")) != different.digest(different.match("app"))


def test_a_copied_context_has_the_identity_of_the_context(store: Store, tmp_path: Path) -> None:
    context = tmp_path / "context"
    (context / "d/e").mkdir(parents=True)
    (context / "d/f").write_bytes(b"1" * 300_000)
    os.link(context / "d/f", context / "d/e/same")
    os.symlink("../x", context / "d/link")
    with DirectorySource(str(context)) as source, root(store) as empty:
        matches = source.match("d")
        record = layer(store, copied(empty, source, matches, CopyWishes(destination="/d")))
        with RootTree(store.disk, [record]) as tree:
            again = LayeredSource(tree)
            assert again.digest(again.match("d")) == source.digest(matches)
            copy_of_copy = copied(empty, again, again.match("d"), CopyWishes(destination="/d"))
            assert layer(store, copy_of_copy) == record


def test_sparse_files_are_whole(store: Store) -> None:
    runs = [(4096, 5), (1 << 20, 3)]
    sparse = rawtars.pax_sparse(b"holes", runs, (1 << 20) + 900, b"hello" + b"end", "1.0")
    small = rawtars.pax_sparse(b"small", [(10, 5)], 20, b"hello", "1.0")
    store.create()
    with store_of_tar(store, rawtars.archive(sparse, small)) as tree:
        source = LayeredSource(tree)
        content = source.open(source.match("holes")[0].items[0])
        assert isinstance(content, int)
        data = os.read(content, 2 << 20)
        os.close(content)
        assert data == bytes(4096) + b"hello" + bytes((1 << 20) - 4101) + b"end" + bytes(897)
        assert source.open(source.match("small")[0].items[0]) == bytes(10) + b"hello" + bytes(5)


def store_of_tar(store: Store, tar: bytes) -> RootTree:
    with making(store.disk) as ingest:
        ingest.feed(tar)
        record, _ = ingest.commit(None)
    return RootTree(store.disk, [record])


def test_damage_is_found_before_anything_is_copied(store: Store) -> None:
    record = layer(store, LOWER)
    path = Path(store.disk.tar(record.diff_id))
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[data.index(b"xxxx") + 600_000] ^= 1
    path.write_bytes(data)
    with RootTree(store.disk, [record]) as tree:
        source = LayeredSource(tree)
        with pytest.raises(DamagedContent):
            source.open(source.match("app/big")[0].items[0])
