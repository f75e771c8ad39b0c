"""The metadata image, as the Linux kernel reads it."""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.snapshots.erofs.trees import Layers, Node, directory, expected, shown, symlink, write_chain

from millefeuille.errors import Unsupported
from millefeuille.oci.digest import Digest
from millefeuille.snapshots import attach
from millefeuille.snapshots.chain import Chain, LayerTar
from millefeuille.snapshots.erofs.chunks import UnmappableFile
from millefeuille.snapshots.erofs.format import Device
from millefeuille.snapshots.erofs.image import InvalidTree, write_image

Mounted = Callable[[Chain], Path]
CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")
ACL = bytes.fromhex(
    "0200000001000600ffffffff02000400e803000004000400ffffffff10000600ffffffff20000400ffffffff"
)
pytestmark = pytest.mark.walk


def agree(mounted: Mounted, layers: Layers, root: Any) -> None:
    """Mount the tree and hold that the kernel shows exactly it."""
    chain = layers.chain(root)
    assert shown(mounted(chain)) == expected(root, chain.layers)


def test_empty_tree(mounted: Mounted, tmp_path: Path) -> None:
    agree(mounted, Layers(tmp_path), directory(mode=0o1700, uid=3, gid=4, mtime=5, nsec=6))


def test_no_layers_at_all(mounted: Mounted, tmp_path: Path) -> None:
    root = directory({b"a": directory(), b"l": symlink(b"a")})
    chain = write_chain(tmp_path, root, [])
    assert shown(mounted(chain)) == expected(root, ())


def test_files_of_every_size(mounted: Mounted, tmp_path: Path) -> None:
    layers, numbers = Layers(tmp_path), random.Random(1)
    sizes = [0, 1, 511, 512, 513, 4095, 4096, 4097, 65536, (1 << 20) - 1, 1 << 20, (1 << 20) + 7]
    agree(mounted, layers, directory({b"f%d" % n: layers.file(numbers.randbytes(n)) for n in sizes}))


def test_symlinks_of_every_length(mounted: Mounted, tmp_path: Path) -> None:
    lengths = [1, 59, 60, 100, *range(380, 390), *range(440, 452), 511, 512, 513, 1000, 4095]
    agree(mounted, Layers(tmp_path), directory({b"l%d" % n: symlink(b"y" * n) for n in lengths}))


def test_files_of_several_layers(mounted: Mounted, tmp_path: Path) -> None:
    layers = Layers(tmp_path)
    agree(mounted, layers, directory({b"%d" % n: layers.file(b"layer %d" % n, layer=n) for n in range(127)}))


def test_large_directory_and_long_names(mounted: Mounted, tmp_path: Path) -> None:
    layers = Layers(tmp_path)
    many = {b"f%05d" % n: layers.file(b"%d" % n) for n in range(12000)}
    deep = directory({b"e" * 240: layers.file(b"deep")}, mode=0o700)
    odd = {bytes([n]) * 3: symlink(b"x") for n in range(1, 256) if n not in b"/"}
    root = directory({b"many": directory(many), b"n" * 255: layers.file(b"x"), b"d" * 200: deep, **odd})
    agree(mounted, layers, root)


def test_directories_of_every_size(mounted: Mounted, tmp_path: Path) -> None:
    layers = Layers(tmp_path)
    sizes = {
        b"d%d" % n: directory({b"x" * k: symlink(b"t") for k in (*range(3, 9), n)}) for n in range(9, 255)
    }
    agree(mounted, layers, directory(sizes))


def test_owners_and_times(mounted: Mounted, tmp_path: Path) -> None:
    layers = Layers(tmp_path)
    root = directory(
        {
            b"ids": layers.file(b"q", uid=70000, gid=4000000000),
            b"exact": layers.file(b"q", mtime=1234567890, nsec=123456789),
            b"before": layers.file(b"q", mtime=-5, nsec=999999999),
            b"far": layers.file(b"q", mtime=4102444800),
            b"suid": layers.file(b"q", mode=0o6755),
            b"none": layers.file(b"q", mode=0),
        }
    )
    agree(mounted, layers, root)


def test_special_files(mounted: Mounted, tmp_path: Path) -> None:
    root = directory(
        {
            b"null": Node(stat.S_IFCHR | 0o666, rdev=1 << 8 | 3),
            b"large": Node(stat.S_IFBLK | 0o660, rdev=(0x12345 & ~0xFF) << 12 | 0xABC << 8 | 0x45),
            b"pipe": Node(stat.S_IFIFO | 0o600),
            b"socket": Node(stat.S_IFSOCK | 0o755),
        }
    )
    agree(mounted, Layers(tmp_path), root)


def test_hard_links(mounted: Mounted, tmp_path: Path) -> None:
    layers = Layers(tmp_path)
    file, link = layers.file(b"hard", nlink=3), symlink(b"h1", nlink=2)
    device = Node(stat.S_IFCHR | 0o600, rdev=5 << 8, nlink=2)
    below = directory({b"h3": file, b"l2": link, b"d2": device})
    # A count that the merge left too high must not show.
    lonely = layers.file(b"lonely", nlink=7)
    agree(
        mounted,
        layers,
        directory({b"h1": file, b"h2": file, b"l1": link, b"d1": device, b"b": below, b"only": lonely}),
    )


def test_extended_attributes(mounted: Mounted, tmp_path: Path) -> None:
    layers = Layers(tmp_path)
    plain = {b"user.a": b"1", b"user.empty": b"", b"security.capability": CAPABILITY}
    many = {b"user.%03d" % n: b"v%d" % n for n in range(300)}
    acl = {b"system.posix_acl_access": ACL}
    root = directory(
        {
            b"ping": layers.file(b"x", xattrs=plain),
            b"ping2": layers.file(b"y" * 5000, xattrs=plain),
            b"empty": layers.file(b"", xattrs={b"user.a": b"1"}),
            b"many": layers.file(b"x", xattrs=many),
            b"large": layers.file(b"x", xattrs={b"user." + b"n" * 250: bytes(range(256)) * 250}),
            b"acl": layers.file(b"x", mode=0o664, xattrs=acl),
            b"dir": directory({b"f": symlink(b"t")}, xattrs={b"trusted.t": b"t", b"user.a": b"1"}),
            b"link": symlink(b"t" * 300, xattrs={b"trusted.%d" % n: b"" for n in range(40)}),
        },
        xattrs=plain,
    )
    agree(mounted, layers, root)


def test_attributes_that_linux_has_no_place_for_are_left_out(mounted: Mounted, tmp_path: Path) -> None:
    layers = Layers(tmp_path)
    xattrs = {b"user.a": b"1", b"trusted.t": b"t"}
    acl = {b"system.posix_acl_access": ACL}
    chain = layers.chain(directory({
        b"link": symlink(b"t", xattrs={**xattrs, **acl}), b"long": symlink(b"t" * 4090, xattrs=xattrs),
        b"pipe": Node(stat.S_IFIFO | 0o664, xattrs={**xattrs, **acl}),
        b"file": layers.file(b"x", mode=0o664, xattrs={b"system.posix_acl_default": ACL, **acl}),
        b"device": Node(stat.S_IFCHR | 0o600, rdev=0x103, xattrs=xattrs),
    }))  # fmt: skip
    found = shown(mounted(chain))
    left = {b"trusted.t": b"t"}
    assert [found[b"./" + name][6] for name in (b"link", b"long", b"device")] == [left, left, left]
    assert found[b"./pipe"][6] == {**left, **acl}
    assert found[b"./file"][6] == acl


def test_lists_of_access_agree_with_the_mode(mounted: Mounted, tmp_path: Path) -> None:
    layers = Layers(tmp_path)
    acl = {b"system.posix_acl_access": ACL}
    plain = {b"system.posix_acl_access": ACL[:12] + ACL[20:28] + ACL[36:]}  # owner, group, all others
    chain = layers.chain(directory({
        b"key": layers.file(b"secret", mode=0o4600, xattrs=acl), b"d": directory(mode=0o751, xattrs=acl),
        b"plain": layers.file(b"x", mode=0o600, xattrs=plain),
    }))  # fmt: skip
    found = shown(mounted(chain))
    assert found[b"./key"][6] == {b"system.posix_acl_access": _of(ACL, owner=6, mask=0, others=0)}
    assert found[b"./d"][6] == {b"system.posix_acl_access": _of(ACL, owner=7, mask=5, others=1)}
    assert found[b"./plain"][6] == {}


def _of(acl: bytes, *, owner: int, mask: int, others: int) -> bytes:
    changed = bytearray(acl)
    changed[6], changed[30], changed[38] = owner, mask, others
    return bytes(changed)


def test_attributes_that_would_steer_an_overlay_are_left_out(mounted: Mounted, tmp_path: Path) -> None:
    layers = Layers(tmp_path)
    xattrs = {b"trusted.overlay.opaque": b"y", b"trusted.overlay.redirect": b"/etc", b"strange.name": b"1"}
    chain = layers.chain(directory({b"d": directory(xattrs=xattrs)}))
    assert shown(mounted(chain))[b"./d"][6] == {}


def test_sparse_files(mounted: Mounted, tmp_path: Path) -> None:
    layers = Layers(tmp_path)
    maps = {
        b"middle": (1 << 20, ((4096, 512), (8192, 4096), (1 << 19, 512))),
        b"end": (1_000_003, ((524288, 1024), (999_936, 67))),
        b"hole": (123456, ()),
        b"trailing": (8192, ((0, 512), (8192, 0))),
        b"full": (4097, ((0, 4097),)),
    }
    files = {}
    for name, (size, runs) in maps.items():
        data = random.Random(name).randbytes(sum(length for _, length in runs))
        files[name] = layers.file(data, size=size, sparse=runs)
    agree(mounted, layers, directory(files))


def test_sparse_data_that_no_block_holds() -> None:
    node = Node(stat.S_IFREG | 0o644, size=10000, sparse=((100, 50),))
    with pytest.raises(UnmappableFile):
        write_image(directory({b"f": node}), [Device(tag="a" * 64, size=512)], uuid=bytes(16))


def test_sparse_map_too_fine() -> None:
    node = Node(stat.S_IFREG | 0o644, size=1 << 50, sparse=((512, 512),))
    with pytest.raises(Unsupported):
        write_image(directory({b"f": node}), [Device(tag="a" * 64, size=512)], uuid=bytes(16))


@pytest.mark.parametrize("size", [(4 << 30) + 4097, (1 << 40) + 12345])
def test_huge_files(mounted: Mounted, tmp_path: Path, size: int) -> None:
    path = tmp_path / "layer.tar"
    with path.open("wb") as file:
        for offset in (512, 512 + size // 2, 512 + size - 5):
            file.seek(offset)
            file.write(b"%05d" % (offset % 99999))
        file.truncate(512 + (size + 511) // 512 * 512)
    layer = LayerTar(diff_id=Digest.of(b"huge"), path=str(path), size=path.stat().st_size)
    root = directory({b"huge": Node(stat.S_IFREG | 0o644, size=size, offset=512)})
    target = mounted(write_chain(tmp_path, root, [layer]))
    descriptor = os.open(target / "huge", os.O_RDONLY)
    try:
        assert os.fstat(descriptor).st_size == size
        for offset in (0, size // 2, size - 5):
            assert os.pread(descriptor, 10, offset)[:5] == b"%05d" % ((512 + offset) % 99999)
    finally:
        os.close(descriptor)


def test_equal_trees_give_equal_bytes(tmp_path: Path) -> None:
    def tree(names: list[bytes]) -> bytes:
        layers = Layers(tmp_path)
        xattrs = {b"user.b": b"1", b"user.a": b"2"}
        files = {name: layers.file(b"same", xattrs=xattrs) for name in sorted(names)}
        children = {name: directory({name: files[name]}) for name in names}
        return bytes(write_image(directory(children), [Device(tag="a" * 64, size=9999)], uuid=bytes(16)))

    names = [b"%d" % n for n in range(100)]
    assert tree(names) == tree(names[::-1])


def test_a_flipped_bit_in_the_super_block_is_refused(mounted: Mounted, tmp_path: Path) -> None:
    chain = Layers(tmp_path).chain(directory())
    image = bytearray(Path(chain.metadata).read_bytes())
    image[1024 + 128 + 3] ^= 1
    Path(chain.metadata).write_bytes(image)
    with pytest.raises(attach.MountFailed):
        mounted(chain)


@pytest.mark.parametrize(
    "node",
    [Node(stat.S_IFCHR), Node(0o030644), Node(stat.S_IFBLK, rdev=os.makedev(4096, 0))],
    ids=["whiteout", "unknown type", "device number that Linux lacks"],
)
def test_what_no_merged_tree_holds(node: Node) -> None:
    with pytest.raises(InvalidTree):
        write_image(directory({b"w": node}), [], uuid=bytes(16))


FORBIDDEN = bytes.maketrans(b"\0/.", b"oO-")
NAMES = st.binary(min_size=1, max_size=255).map(lambda name: name.translate(FORBIDDEN))
XATTRS = st.dictionaries(st.sampled_from([b"user.a", b"user.b", b"trusted.c"]), st.binary(max_size=40))
TARGETS = st.binary(min_size=1, max_size=600).map(lambda target: target.translate(FORBIDDEN))
LEAVES = st.one_of(
    st.tuples(st.just("file"), st.binary(max_size=2000), XATTRS),
    st.tuples(st.just("link"), TARGETS, st.just({})),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.tuples(st.just("directory"), st.dictionaries(NAMES, inner, max_size=8), XATTRS),
    max_leaves=30,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(children=st.dictionaries(NAMES, TREES, max_size=20))
def test_any_tree(mounted: Mounted, tmp_path: Path, children: dict[bytes, Any]) -> None:
    layers = Layers(tmp_path)

    def node(described: tuple[str, Any, dict[bytes, bytes]]) -> Node:
        kind, content, xattrs = described
        if kind == "file":
            return layers.file(content, xattrs=xattrs)
        if kind == "link":
            return symlink(content)
        return directory({name: node(child) for name, child in content.items()}, xattrs=xattrs)

    agree(mounted, layers, directory({name: node(child) for name, child in children.items()}))
