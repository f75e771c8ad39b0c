"""Two processes read what one would have read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.build.sources.trees import make

from millefeuille.build.sources import halves, reading
from millefeuille.build.sources.ignore import NOTHING
from millefeuille.build.sources.reading import ContextChanged, Read, Wanted
from millefeuille.build.sources.scan import scan
from millefeuille.build.sources.sieve import Sieve
from millefeuille.errors import Failed

NAMES = tuple(f"{above}/{n}" for above in ("a", "b/c", "b/d", "e") for n in range(20))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(halves, "MANY", 10)
    monkeypatch.setattr(halves, "helpers", lambda: 1)
    made = make(tmp_path / "context", *NAMES)
    (made / "e/7").write_bytes(b"much" * 100_000)
    descriptor = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)
    with pytest.raises(ChildProcessError):  # no copy is left
        os.waitpid(-1, os.WNOHANG)


def wanted(root: int) -> list[Wanted]:
    listing = scan(root, "", Sieve(NOTHING, ""))
    return [Wanted(n, *one) for n, one in enumerate(zip(listing.paths, listing.statuses, strict=True))]


def untimed(found: dict[int, Read]) -> dict[int, object]:
    return {number: (one.content, dict(one.xattrs)) for number, one in found.items()}


def test_the_same_is_read(root: int, tmp_path: Path) -> None:
    for path in ("a/3", "e/3", "e"):
        try:
            os.setxattr(tmp_path / "context" / path, "user.note", path.encode())
        except OSError:
            pytest.skip("no extended attributes here")
    every = wanted(root)
    found = halves.read(root, every)
    assert untimed(found) == untimed(reading.read(root, every))
    assert len(found) == len(every)
    assert all(one.started > 10**18 for one in found.values())


def test_each_does_a_part(root: int, monkeypatch: pytest.MonkeyPatch) -> None:
    every, parts = wanted(root), []
    real = reading.read

    def read(root: int, wanted: list[Wanted]) -> dict[int, Read]:
        parts.append([one.path for one in wanted])
        return real(root, wanted)

    monkeypatch.setattr(reading, "read", read)
    halves.read(root, every)
    (mine,) = parts
    assert len(every) // 4 < len(mine) < len(every)
    assert mine == [one.path for one in every[: len(mine)]]


@pytest.mark.parametrize("path", ["a/0", "e/19"])
def test_what_changed_meanwhile_is_an_error_in_either_part(root: int, tmp_path: Path, path: str) -> None:
    every = wanted(root)
    (tmp_path / "context" / path).write_text("changed")
    with pytest.raises(ContextChanged, match=path):
        halves.read(root, every)


def test_a_copy_that_fails_is_no_loss(root: int, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, real = os.getpid(), reading.read

    def read(root: int, wanted: list[Wanted]) -> dict[int, Read]:
        if os.getpid() != mine:
            raise Failed("here")
        return real(root, wanted)

    every = wanted(root)
    monkeypatch.setattr(reading, "read", read)
    assert len(halves.read(root, every)) == len(every)
