"""What a change of one file would change, asked without changing it."""

from __future__ import annotations

from pathlib import Path

from tests.build.sources.trees import make

from millefeuille.build.sources.directory import DirectorySource
from millefeuille.build.sources.ignore import Ignore
from millefeuille.build.sources.touched import TouchedSource

FILES = ("src/a", "src/b", "src/deep/h = src/a", "other/a", "l -> src/a")


def identities(source: DirectorySource, *patterns: str) -> list[str]:
    with source:
        return [source.digest(source.match(pattern)) for pattern in patterns]


def test_the_identity_of_all_that_the_file_is_in_is_another(tmp_path: Path) -> None:
    root = str(make(tmp_path / "context", *FILES))
    patterns = (".", "src", "src/a", "l", "src/deep", "src/b", "other", "other/a")
    before = identities(DirectorySource(root), *patterns)
    after = identities(TouchedSource(root, "src/a"), *patterns)
    # A second name of the file in a directory that is copied by itself is the file, too.
    assert [one != other for one, other in zip(before, after, strict=True)] == [True] * 5 + [False] * 3
    assert after == identities(TouchedSource(root, "src/a"), *patterns)


def test_nothing_is_written(tmp_path: Path) -> None:
    root = make(tmp_path / "context", *FILES)
    before = {path: (path.lstat(), path.is_file() and path.read_bytes()) for path in root.rglob("*")}
    identities(TouchedSource(str(root), "src/a"), ".")
    after = {path: (path.lstat(), path.is_file() and path.read_bytes()) for path in root.rglob("*")}
    assert [(s.st_mtime_ns, s.st_ctime_ns, data) for s, data in before.values()] == [
        (s.st_mtime_ns, s.st_ctime_ns, data) for s, data in after.values()
    ]


def test_a_file_that_is_left_out_changes_nothing(tmp_path: Path) -> None:
    root, ignore = str(make(tmp_path / "context", *FILES)), Ignore(("other",))
    before = identities(DirectorySource(root, ignore=ignore), ".")
    assert identities(TouchedSource(root, "other/a", ignore=ignore), ".") == before
