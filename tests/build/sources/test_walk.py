"""What a walk found is told again without walking, and is always what a walk would find."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.build.sources.trees import make, settle

from millefeuille import files
from millefeuille.build.sources import walk
from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.ignore import NOTHING, Ignore
from millefeuille.build.sources.scan import Listing
from millefeuille.build.sources.statcache import AGES, StatCache

NAMES = (
    *(f"d{n}/f{m}" for n in range(4) for m in range(4)),
    "d0/e/f", "l -> b", "d1/l -> ../b", "h = d0/f0", "x/y/",
)  # fmt: skip


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "FEWEST", 1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = make(tmp_path / "context", *NAMES)
    settle(made)
    return made


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The directories that are walked through."""
    seen: list[str] = []
    real = walk.scan

    def scan(root: int, base: str, sieve: walk.Sieve) -> Listing:
        seen.append(base)
        return real(root, base, sieve)

    monkeypatch.setattr(walk, "scan", scan)
    return seen


def seen(root: Path, *, memory: bool = True, pattern: str = ".", ignored: tuple[str, ...] = ()) -> object:
    """All that a source says of what an argument selects."""
    place = str(root.parent / "memory" / "tree")
    ignore = Ignore(ignored) if ignored else NOTHING
    known = StatCache(place if memory else None)
    with DirectorySource(str(root), ignore=ignore, cache=known, memory=place if memory else "") as source:
        (match,) = source.match(pattern)
        digests = [source.digest([match], mode=mode) for mode in (True, False)]
        return digests, [(item.path, item.entry) for item in match.items]


def test_nothing_is_walked_twice(root: Path, walks: list[str]) -> None:
    first = seen(root)
    assert (seen(root), seen(root, memory=False)) == (first, first)
    assert walks == [""]


def test_an_identity_is_not_made_twice(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = seen(root)
    monkeypatch.delattr("millefeuille.build.sources.directory.identity")
    assert seen(root) == first


def test_a_changed_file_is_seen_without_walking(root: Path, walks: list[str]) -> None:
    first = seen(root)
    (root / "d0/f1").write_text("new")
    settle(root)
    changed = seen(root)
    assert changed == seen(root, memory=False) != first
    assert seen(root) == changed
    assert walks == [""]


CHANGES: dict[str, Callable[[Path], object]] = {
    "a new file": lambda root: (root / "x/y/new").write_text("new"),
    "a new directory": lambda root: (root / "d0/e/new").mkdir(),
    "a file gone": lambda root: (root / "d0/f0").unlink(),
    "a file moved": lambda root: (root / "d0/f0").rename(root / "d1/g"),
    "a file in place of another": lambda root: (root / "d0/f0").rename(root / "d0/f1"),
    "a directory gone": lambda root: shutil.rmtree(root / "d2"),
    "a directory moved": lambda root: (root / "d2").rename(root / "d3/e"),
    "another link": lambda root: ((root / "l").unlink(), (root / "l").symlink_to("c")),
    "a link in place of a directory": lambda root: (
        (root / "d2").rename(root.parent / "d2"), (root / "d2").symlink_to("../d2"),
    ),
    "a file in place of a directory": lambda root: ((root / "x/y").rmdir(), (root / "x/y").write_text("")),
    "a directory's mode": lambda root: (root / "d1").chmod(0o700),
    "the base's own mode": lambda root: root.chmod(0o700),
    "a file's mode": lambda root: (root / "d1/f1").chmod(0o755),
    "a file's time": lambda root: os.utime(root / "d1/f1", (1, 1)),
    "a hard link more": lambda root: os.link(root / "d1/f1", root / "d2/g"),
    "a hard link outside": lambda root: os.link(root / "d1/f1", root.parent / "g"),
    "as many bytes": lambda root: (root / "d1/f1").write_text("d1/F1"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_seen(root: Path, change: str) -> None:
    seen(root)
    seen(root, pattern="d1")
    CHANGES[change](root)
    for pattern in (".", "d1"):
        assert seen(root, pattern=pattern) == seen(root, pattern=pattern, memory=False)


def test_any_changes_one_after_the_other(root: Path) -> None:
    chance = random.Random(7)
    for turn in range(60):
        paths = sorted(root.rglob("*"))
        path = chance.choice(paths)
        if path.is_dir() and not path.is_symlink():
            (path / f"n{turn}").write_text(str(turn))
        elif chance.random() < 0.5:
            path.unlink()
            if chance.random() < 0.5:
                path.write_text("again")
        elif not path.is_symlink():
            path.write_text(path.read_text()[::-1])
        if turn % 3:  # else it is looked at within the tick of the change
            settle(root)
        assert seen(root) == seen(root, memory=False), (turn, path)


def test_what_changed_just_now_is_not_remembered(root: Path, walks: list[str]) -> None:
    (root / "d0/f0").write_text("1")
    os.utime(root / "d0/f0")
    before = (root / "d0/f0").stat()
    seen(root)
    while True:  # until both happen within one tick, or the clock has gone on
        (root / "d0/f0").write_text("2")
        if (root / "d0/f0").stat().st_ctime_ns != before.st_ctime_ns:
            break
        assert seen(root) == seen(root, memory=False)
    assert seen(root) == seen(root, memory=False)
    settle(root)
    walks.clear()
    seen(root)
    seen(root)
    assert len(walks) == 1


def test_what_is_left_out_is_not_looked_at(root: Path, walks: list[str]) -> None:
    first = seen(root, ignored=("d0", "**/f1"))
    (root / "d0/e/new").write_text("new")
    (root / "d1/f1").write_text("new")
    assert seen(root, ignored=("d0", "**/f1")) == first
    assert walks == [""]
    assert seen(root) == seen(root, memory=False)  # other patterns, another memory
    assert seen(root, ignored=("d1",)) == seen(root, ignored=("d1",), memory=False)


def test_patterns_that_bring_something_back_are_walked(root: Path) -> None:
    ignored = ("*", "!d0/e/*")
    seen(root, ignored=ignored)
    (root / "d0/e/new").write_text("new")
    assert seen(root, ignored=ignored) == seen(root, ignored=ignored, memory=False)


def test_a_broken_memory_is_none(root: Path, tmp_path: Path, walks: list[str]) -> None:
    first = seen(root)
    (memory,) = (tmp_path / "memory").glob("tree.*")
    whole = memory.read_bytes()
    chance = random.Random(1)
    for turn in range(40):
        data = bytearray(whole)
        if turn % 2:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        else:
            del data[chance.randrange(len(data)) :]
        memory.write_bytes(data)
        assert seen(root) == first
    assert len(walks) == 41


def test_a_memory_that_cannot_be_written_costs_nothing_but_time(root: Path, tmp_path: Path) -> None:
    (tmp_path / "memory").write_text("in the way")
    assert seen(root) == seen(root) == seen(root, memory=False)


def test_a_file_system_of_others_is_walked(
    root: Path, walks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen(root)
    monkeypatch.setattr(walk.kernel, "file_system", lambda descriptor: 0x6969)  # NFS
    assert seen(root) == seen(root)
    assert len(walks) == 3


def test_the_few_are_not_remembered(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "FEWEST", 1000)
    seen(root)
    assert [path.name for path in (tmp_path / "memory").iterdir()] == ["tree"]


def test_files_that_nobody_asked_for_stay_known(root: Path) -> None:
    place = str(root.parent / "memory" / "tree")
    for turn in range(AGES + 3):
        (root / "d0/f0").write_text(str(turn))
        settle(root)
        with DirectorySource(str(root), cache=StatCache(place), memory=place) as source:
            for pattern in ("d0", "d1"):
                source.digest(source.match(pattern))
    (root / "d1/f0").write_text("new")
    settle(root)
    opened: list[str] = []
    files.hook = lambda name, subject: opened.append(str(subject)) if name == "read" else None
    try:
        seen(root, pattern="d1")
    finally:
        files.hook = None
    assert opened == ["d1/f0"]
