"""What is remembered of files: nothing that has not changed is opened again, nothing is trusted too soon."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.build.sources.trees import make, settle

from millefeuille import files
from millefeuille.build.sources import memory, statcache
from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.reading import CLOCK
from millefeuille.build.sources.statcache import AGES, StatCache, of_tree, tick

LATER = 1 << 62  # nanoseconds since 1970


@contextmanager
def reads() -> Iterator[list[str]]:
    """What is opened for its content meanwhile."""
    seen: list[str] = []
    files.hook = lambda name, subject: seen.append(str(subject)) if name == "read" else None
    try:
        yield seen
    finally:
        files.hook = None


def digest(root: Path, cache: Path, pattern: str = ".") -> tuple[str, list[str]]:
    """The identity of what is there, and what was opened for it."""
    with reads() as seen, DirectorySource(str(root), cache=StatCache(str(cache))) as source:
        found = source.digest(source.match(pattern))
    return found, seen


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = make(tmp_path / "context", "a/x", "a/y", "b", "l -> b", "h = b")
    settle(made)
    return made


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "stats" / "tree"


def test_nothing_is_opened_twice(root: Path, cache: Path) -> None:
    first, opened = digest(root, cache)
    assert sorted(opened) == ["a", "a/x", "a/y", "b", "h"] or sorted(opened) == ["a", "a/x", "a/y", "b"]
    written = cache.stat()
    assert digest(root, cache) == (first, [])
    assert cache.stat().st_ino == written.st_ino  # nor is anything written


def test_what_is_known_need_not_be_readable(root: Path, cache: Path) -> None:
    """The content comes from the cache and from nowhere else: here it is a lie."""
    first, _ = digest(root, cache)
    known = StatCache(str(cache))
    (number,) = known.find([(root / "a/x").stat()])
    assert number is not None
    known._contents[number] = bytes(31) + b"x"
    known._changed = True
    known.find([path.lstat() for path in root.rglob("*")])
    known.save()
    second, opened = digest(root, cache)
    assert opened == []
    assert second != first


def test_one_changed_file_is_read_alone(root: Path, cache: Path) -> None:
    first, _ = digest(root, cache)
    with open(root / "a/y", "r+") as file:
        file.write("z")
    settle(root)
    second, opened = digest(root, cache)
    assert opened == ["a/y"]
    assert second != first
    assert digest(root, cache) == (second, [])


@pytest.mark.parametrize("kept", ["mtime", "size and mtime"])
def test_a_ctime_tells(root: Path, cache: Path, kept: str) -> None:
    first, _ = digest(root, cache)
    path = root / "a/x"
    status = path.stat()
    path.write_text("abc" if kept == "size and mtime" else "longer")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    second, opened = digest(root, cache)
    assert opened == ["a/x"]
    assert second != first


def test_what_changed_just_now_is_read_again(root: Path, cache: Path) -> None:
    """It may change once more, and show the same times."""
    (root / "b").write_text("new")
    stamp = (root / "b").stat().st_ctime_ns
    _, opened = digest(root, cache)
    if time.clock_gettime_ns(CLOCK) > stamp + tick(stamp):
        pytest.skip("this took longer than the clock needs")
    assert "b" in opened
    settle(root)
    assert "b" in digest(root, cache)[1]
    assert digest(root, cache)[1] == []


def test_the_clock_decides(root: Path) -> None:
    status = (root / "b").stat()
    for started, kept in ((status.st_ctime_ns, False), (status.st_ctime_ns + 3_000_000_000, True)):
        cache = StatCache(str(root.parent / f"cache-{kept}"))
        cache.learn(status, bytes(32), {}, started)
        assert cache.find([status]) == [0]  # this build has read it
        cache.save()
        assert StatCache(str(root.parent / f"cache-{kept}")).find([status]) == [0 if kept else None]


@pytest.mark.parametrize(
    ("time", "length"),
    [(1_700_000_000_000_000_000, 2.0), (1_700_000_000_010_000_000, 0.1), (1_700_000_000_012_345_678, 0.02)],
)
def test_ticks(time: int, length: float) -> None:
    assert tick(time) == length * 1e9


def test_a_restored_copy_is_read(root: Path, cache: Path, tmp_path: Path) -> None:
    """Another file with the same name, size and mtime."""
    first, _ = digest(root, cache)
    shutil.copy2(root / "a/x", root / "a/new")
    os.replace(root / "a/new", root / "a/x")
    settle(root)
    second, opened = digest(root, cache)
    assert second == first
    assert "a/x" in opened


def test_attributes_are_remembered(root: Path, cache: Path) -> None:
    try:
        os.setxattr(root / "a/x", "user.k", b"v")
        os.setxattr(root / "a", "user.k", b"w")
    except OSError:
        pytest.skip("the file system has no user attributes")
    settle(root)
    first, _ = digest(root, cache)
    assert digest(root, cache) == (first, [])
    with reads() as seen, DirectorySource(str(root), cache=StatCache(str(cache))) as source:
        found = {i.path: dict(i.entry.xattrs) for m in source.match(".") for i in m.items if i.entry.xattrs}
    assert found == {b"a": {b"user.k": b"w"}, b"a/x": {b"user.k": b"v"}}
    assert seen == []
    os.removexattr(root / "a/x", "user.k")
    assert digest(root, cache)[0] != first


@pytest.mark.parametrize("damage", ["empty", "cut", "bit", "noise", "version", "directory"])
def test_a_broken_cache_is_empty(root: Path, cache: Path, damage: str) -> None:
    first, opened = digest(root, cache)
    data = bytearray(cache.read_bytes())
    if damage == "bit":
        data[len(data) // 2] ^= 1
    elif damage == "version":
        data = data.replace(b"stat cache 1", b"stat cache 0")
    cache.unlink()
    if damage == "directory":
        cache.mkdir()
    else:
        contents = {"empty": b"", "cut": data[:-40], "noise": os.urandom(5000)}
        cache.write_bytes(contents.get(damage, bytes(data)))
    assert digest(root, cache) == (first, opened)
    if damage != "directory":
        assert digest(root, cache) == (first, [])


def test_every_bit_counts(root: Path, cache: Path) -> None:
    digest(root, cache)
    data = cache.read_bytes()
    for at in range(0, len(data), 7):
        cache.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
        assert StatCache(str(cache)).find([(root / "b").stat()]) == [None], at


def test_no_place_for_a_cache_is_no_failure(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    first, _ = digest(root, tmp_path / "file" / "cache")
    assert digest(root, tmp_path / "file" / "cache")[0] == first


def test_two_builds_at_once(root: Path, cache: Path) -> None:
    """Whoever comes last is heard; nobody ever reads half a file."""
    expected, _ = digest(root, cache)
    failures: list[object] = []

    def build(number: int) -> None:
        for turn in range(20):
            known = StatCache(str(cache))
            if None in known.find(path.lstat() for path in root.rglob("*") if path.name != "l"):
                failures.append(turn)
            make(root.parent / f"other-{number}", f"new-{turn}")
            known.learn((root.parent / f"other-{number}/new-{turn}").stat(), bytes(32), {}, LATER)
            known.save()

    threads = [threading.Thread(target=build, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert digest(root, cache) == (expected, [])
    assert os.listdir(cache.parent) == ["tree"]


def test_what_nobody_asks_for_goes(root: Path, cache: Path) -> None:
    digest(root, cache)
    status = (root / "b").stat()
    for turn in range(AGES + 1):
        assert StatCache(str(cache)).find([status]) != [None], turn
        known = StatCache(str(cache))
        make(root, f"new-{turn}")
        known.learn((root / f"new-{turn}").stat(), bytes(32), {}, LATER)
        known.save()
    assert StatCache(str(cache)).find([status]) == [None]


def test_a_file_that_changed_is_in_it_once(root: Path, cache: Path) -> None:
    digest(root, cache)
    size = cache.stat().st_size
    for turn in range(5):
        (root / "b").write_text(str(turn))
        settle(root)
        digest(root, cache)
    assert cache.stat().st_size == size


def test_there_is_an_end_to_it(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statcache, "MAXIMUM", 2)
    digest(root, cache)
    numbers = StatCache(str(cache)).find([path.lstat() for path in (root, *root.rglob("*"))])
    assert len(set(numbers) - {None}) == 2
    monkeypatch.setattr(memory, "FILES", 3)
    for number in range(6):
        with DirectorySource(str(root), cache=of_tree(str(cache.parent), f"/{number}")) as source:
            source.digest(source.match("."))
    assert len(os.listdir(cache.parent)) == 3


def test_a_failed_read_is_not_remembered(root: Path, cache: Path) -> None:
    with DirectorySource(str(root), cache=StatCache(str(cache))) as source:
        matches = source.match(".")
        (root / "b").write_text("other")
        with pytest.raises(Exception, match="changed while it was read"):
            source.digest(matches)
    assert StatCache(str(cache)).find([(root / "b").stat()]) == [None]


def test_stages_that_read_at_once(tmp_path: Path) -> None:
    """Several steps share one source; each gets what it would have got alone."""
    root = make(tmp_path / "context", *(f"d{number % 7}/f{number}" for number in range(300)))
    patterns = [".", "d0", "d1", "*/f3*", "d2", "d3/f3", "d*", "d4"]
    with DirectorySource(str(root)) as source:
        alone = [source.digest(source.match(pattern)) for pattern in patterns]
    for _ in range(3):
        found: dict[int, str] = {}
        with DirectorySource(str(root)) as shared:

            def step(number: int, shared: DirectorySource = shared, found: dict[int, str] = found) -> None:
                found[number] = shared.digest(shared.match(patterns[number]))

            threads = [threading.Thread(target=step, args=(number,)) for number in range(len(patterns))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert [found[number] for number in range(len(patterns))] == alone
