"""What every Snapshotter does. Tests of a driver inherit from `SnapshotterContract`, and make one."""

from __future__ import annotations

import os
import stat
from typing import Protocol

import pytest

from millefeuille.errors import Conflict, Invalid, NotFound
from millefeuille.oci.digest import Digest
from millefeuille.snapshots.snapshotter import Mount, Snapshotter, close_all, let_go
from millefeuille.testing.rawtars import archive, directory, file, hardlink, symlink

BASE = archive(
    directory(b".", mode=0o751),
    file(b"a", b"lower"),
    directory(b"d"),
    file(b"d/b", b"deep"),
    file(b"d/c", b"deeper"),
)
UNKNOWN = Digest.of(b"no such chain")


class Root(Protocol):
    """A root that is mounted. Paths are relative to it; symlinks are not followed."""

    def names(self, path: str = "") -> list[str]: ...
    def read(self, path: str) -> bytes: ...
    def write(self, path: str, data: bytes) -> None: ...
    def make_directory(self, path: str) -> None: ...
    def unlink(self, path: str) -> None: ...
    def mode(self, path: str) -> int: ...
    def is_same(self, path: str, other: str) -> bool: ...


class Bench(Protocol):
    """A driver to be tested, chains for it, and a place to mount what it gives."""

    snapshots: Snapshotter

    def chain(self, *tars: bytes) -> Digest: ...
    def mount(self, mounts: tuple[Mount, ...]) -> Root: ...


def drop(mounts: tuple[Mount, ...] | None) -> None:
    """Let go of mounts that are not to be made."""
    close_all(mounts or ())
    let_go(mounts or ())


class SnapshotterContract:
    """The tests. `bench` is a fixture of the driver's own."""

    def test_a_writable_root_shows_the_chain_and_keeps_what_is_written(self, bench: Bench) -> None:
        chain = bench.chain(BASE)
        root = bench.mount(bench.snapshots.prepare("one", chain))
        assert root.names() == ["a", "d"]
        assert (root.read("a"), root.read("d/b")) == (b"lower", b"deep")
        assert root.mode("") == stat.S_IFDIR | 0o751
        root.write("a", b"upper")
        root.unlink("d/b")
        root.make_directory("new")
        root.write("new/file", b"1")
        again = bench.mount(bench.snapshots.mounts("one"))
        assert (again.names(), again.names("d"), again.names("new")) == (["a", "d", "new"], ["c"], ["file"])
        assert again.read("a") == b"upper"

    def test_roots_on_one_chain_do_not_see_each_other(self, bench: Bench) -> None:
        chain = bench.chain(BASE)
        bench.mount(bench.snapshots.prepare("one", chain)).write("a", b"upper")
        assert bench.mount(bench.snapshots.prepare("two", chain)).read("a") == b"lower"
        assert bench.mount(bench.snapshots.view("three", chain)).read("a") == b"lower"

    def test_a_view_is_read_only(self, bench: Bench) -> None:
        for number, tars in enumerate([(BASE,), (BASE, archive(file(b"x", b"1")))]):
            root = bench.mount(bench.snapshots.view(f"look{number}", bench.chain(*tars)))
            assert root.read("d/b") == b"deep"
            with pytest.raises(OSError, match="Read-only"):
                root.write("new", b"")
            with pytest.raises(OSError, match="Read-only"):
                root.unlink("a")

    def test_a_root_on_nothing(self, bench: Bench) -> None:
        root = bench.mount(bench.snapshots.prepare("scratch", None))
        assert root.names() == []
        root.write("new", b"1")
        assert bench.mount(bench.snapshots.mounts("scratch")).names() == ["new"]
        assert bench.snapshots.changes("scratch").lower is None

    def test_a_root_on_nothing_is_open_whatever_the_umask(self, bench: Bench) -> None:
        before = os.umask(0o077)
        try:
            mounts = bench.snapshots.prepare("one", None), bench.snapshots.view("two", None)
        finally:
            os.umask(before)
        assert [bench.mount(each).mode("") for each in mounts] == [stat.S_IFDIR | 0o755] * 2

    def test_a_key_is_taken_until_it_is_removed(self, bench: Bench) -> None:
        chain = bench.chain(BASE)
        bench.mount(bench.snapshots.prepare("key", chain)).write("a", b"upper")
        for make in (bench.snapshots.prepare, bench.snapshots.view):
            with pytest.raises(Conflict):
                make("key", chain)
        bench.snapshots.remove("key")
        assert bench.mount(bench.snapshots.prepare("key", chain)).read("a") == b"lower"

    def test_keys_that_cannot_be_names(self, bench: Bench) -> None:
        chain = bench.chain(BASE)
        for key in ("", ".", "..", "a/b", "/", "-x", ".hidden"):
            for act in (bench.snapshots.prepare, bench.snapshots.view):
                with pytest.raises(Invalid):
                    act(key, chain)
            with pytest.raises(Invalid):
                bench.snapshots.remove(key)
        assert list(bench.snapshots) == []

    def test_keys_that_are_not_there(self, bench: Bench) -> None:
        chain = bench.chain(BASE)
        for ask in (bench.snapshots.mounts, bench.snapshots.changes, bench.snapshots.usage):
            with pytest.raises(NotFound):
                ask("absent")
        with pytest.raises(NotFound):
            bench.snapshots.commit("absent", chain)

    def test_removing_twice_is_removing_once(self, bench: Bench) -> None:
        drop(bench.snapshots.prepare("key", bench.chain(BASE)))
        bench.snapshots.remove("key")
        bench.snapshots.remove("key")
        with pytest.raises(NotFound):
            bench.snapshots.mounts("key")

    def test_the_keys_there_are(self, bench: Bench) -> None:
        chain = bench.chain(BASE)
        assert list(bench.snapshots) == []
        drop(bench.snapshots.prepare("one", chain))
        drop(bench.snapshots.view("two", chain))
        drop(bench.snapshots.prepare("three", None))
        assert sorted(bench.snapshots) == ["one", "three", "two"]
        bench.snapshots.remove("two")
        assert sorted(bench.snapshots) == ["one", "three"]

    def test_an_unknown_chain_leaves_no_key(self, bench: Bench) -> None:
        for make in (bench.snapshots.prepare, bench.snapshots.view):
            with pytest.raises(NotFound):
                make("key", UNKNOWN)
        assert list(bench.snapshots) == []

    def test_changes_and_what_they_stand_on(self, bench: Bench) -> None:
        bench.mount(bench.snapshots.prepare("key", bench.chain(BASE))).write("a", b"upper")
        changes = bench.snapshots.changes("key")
        assert changes.upper and changes.marks in ("trusted", "user")
        assert changes.lower is not None
        lower = bench.mount(changes.lower)
        assert lower.read("a") == b"lower"
        with pytest.raises(OSError, match="Read-only"):
            lower.write("a", b"")

    def test_a_view_has_no_changes(self, bench: Bench) -> None:
        chain = bench.chain(BASE)
        drop(bench.snapshots.view("key", chain))
        with pytest.raises(Conflict):
            bench.snapshots.changes("key")
        with pytest.raises(Conflict):
            bench.snapshots.commit("key", chain)

    def test_commit_makes_the_chain_mountable_and_keeps_the_root(self, bench: Bench) -> None:
        base = bench.chain(BASE)
        bench.mount(bench.snapshots.prepare("key", base)).write("a", b"upper")
        with pytest.raises(NotFound):
            bench.snapshots.commit("key", UNKNOWN)
        chain = bench.chain(BASE, archive(file(b"a", b"upper")))
        bench.snapshots.commit("key", chain)
        bench.snapshots.commit("key", chain)
        root = bench.mount(bench.snapshots.view("look", chain))
        assert (root.read("a"), root.read("d/b")) == (b"upper", b"deep")
        assert bench.mount(bench.snapshots.mounts("key")).read("a") == b"upper"

    def test_usage_is_what_was_written(self, bench: Bench) -> None:
        chain = bench.chain(BASE)
        root = bench.mount(bench.snapshots.prepare("key", chain))
        assert (bench.snapshots.usage("key").size, bench.snapshots.usage("key").inodes) == (0, 0)
        root.write("big", bytes(range(256)) * 400)
        root.make_directory("empty")
        usage = bench.snapshots.usage("key")
        assert 102_400 <= usage.size < 130_000
        assert (usage.inodes, usage.content) == (2, 102_400)
        drop(bench.snapshots.view("look", chain))
        assert (bench.snapshots.usage("look").size, bench.snapshots.usage("look").inodes) == (0, 0)

    def test_removal_while_mounted(self, bench: Bench) -> None:
        chain = bench.chain(BASE)
        root = bench.mount(bench.snapshots.prepare("key", chain))
        root.write("new", b"1")
        bench.snapshots.remove("key")
        assert list(bench.snapshots) == []
        assert root.read("a") == b"lower"
        again = bench.mount(bench.snapshots.prepare("key", chain))
        assert again.names() == ["a", "d"]

    def test_a_directory_removed_in_a_lower_layer(self, bench: Bench) -> None:
        gone = archive(file(b".wh.d"))
        back = archive(directory(b"d", mode=0o700), file(b"d/new", b"1"))
        assert bench.mount(bench.snapshots.view("gone", bench.chain(BASE, gone))).names() == ["a"]
        for tars, names in (((BASE, gone, back), ["new"]), ((BASE, back), ["b", "c", "new"])):
            root = bench.mount(bench.snapshots.prepare(f"key{len(tars)}", bench.chain(*tars)))
            assert root.names("d") == names
            assert root.mode("d") == stat.S_IFDIR | 0o700
        both = archive(file(b".wh.d"), directory(b"d"), file(b"d/new", b"1"))
        assert bench.mount(bench.snapshots.view("both", bench.chain(BASE, both))).names("d") == ["new"]

    def test_whiteouts_and_opaque_directories(self, bench: Bench) -> None:
        upper = archive(file(b".wh.a"), file(b"d/.wh.b"), file(b"d/.wh.never"))
        opaque = archive(file(b"d/.wh..wh..opq"), file(b"d/only", b"1"))
        root = bench.mount(bench.snapshots.view("upper", bench.chain(BASE, upper)))
        assert (root.names(), root.names("d")) == (["d"], ["c"])
        root = bench.mount(bench.snapshots.prepare("opaque", bench.chain(BASE, upper, opaque)))
        assert root.names("d") == ["only"]
        root.write("d/b", b"again")
        assert root.names("d") == ["b", "only"]
        emptied = bench.chain(BASE, archive(file(b".wh..wh..opq")))
        assert bench.mount(bench.snapshots.view("emptied", emptied)).names() == []

    def test_hard_links_across_layers(self, bench: Bench) -> None:
        lower = archive(file(b"f", b"1"), hardlink(b"g", b"f"), directory(b"d"), file(b"d/x", b"2"))
        upper = archive(hardlink(b"h", b"f"), directory(b"e"), hardlink(b"e/y", b"d/x"))
        root = bench.mount(bench.snapshots.view("key", bench.chain(lower, upper)))
        assert root.names() == ["d", "e", "f", "g", "h"]
        assert root.read("h") == b"1" and root.read("e/y") == b"2"
        assert root.is_same("f", "h") and root.is_same("g", "h") and root.is_same("d/x", "e/y")
        assert not root.is_same("f", "d/x")

    def test_a_lower_symlink_is_hidden_by_what_is_below_its_path(self, bench: Bench) -> None:
        lower = archive(directory(b"t"), file(b"t/low", b"1"), symlink(b"s", b"t"))
        root = bench.mount(bench.snapshots.view("key", bench.chain(lower, archive(file(b"s/f", b"2")))))
        assert (root.names(), root.names("s"), root.names("t")) == (["s", "t"], ["f"], ["low"])
        assert root.mode("s") == stat.S_IFDIR | 0o755

    def test_a_parent_that_no_entry_names(self, bench: Bench) -> None:
        lower = archive(directory(b"d", mode=0o1770), file(b"d/low", b"1"))
        root = bench.mount(bench.snapshots.view("key", bench.chain(lower, archive(file(b"d/e/f", b"2")))))
        assert root.mode("d") == stat.S_IFDIR | 0o1770
        assert root.mode("d/e") == stat.S_IFDIR | 0o755

    def test_127_layers(self, bench: Bench) -> None:
        layers = [BASE]
        for number in range(1, 127):
            gone = file(b".wh.n%03d" % (number - 2)) if number > 2 else b""
            layers.append(
                archive(file(b"n%03d" % number, b"%d" % number), gone, file(b"d/b", b"%d" % number))
            )
        root = bench.mount(bench.snapshots.prepare("key", bench.chain(*layers)))
        assert root.names() == ["a", "d", "n125", "n126"]
        assert (root.read("d/b"), root.read("d/c")) == (b"126", b"deeper")
        root.unlink("n125")
        assert root.names() == ["a", "d", "n126"]
