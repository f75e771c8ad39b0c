"""After a build, what builds keep is within its bounds; whoever does not want that says so."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from tests.faces.cli.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def build(home: Home, text: str, limit: str) -> tuple[str, str, int]:
    context = home.directory / "context"
    context.mkdir(exist_ok=True)
    (context / "Dockerfile").write_text(f"FROM scratch\nCOPY f /\n# {text}\n")
    (context / "f").write_text(text * 100_000)
    environment = {"MILLE_BUILD_CACHE": limit} if limit else {}
    return home.mille("build", "-q", "-t", "made", str(context), environment=environment)


def steps(home: Home) -> int:
    out = home.mille("builder", "du", "--format", "json")[0]
    return len([line for line in out.splitlines() if json.loads(line)])


def test_the_cache_stays_below_a_limit(home: Home) -> None:
    cases = (("a", "", 1), ("b", "off", 2), ("c", "1GB", 3), ("d", "150k", 2), ("e", "0", 1))
    for text, limit, left in cases:
        home.mille("image", "rm", "-f", "made")
        out, err, code = build(home, text, limit)
        assert (err, code) == ("", 0), text
        assert steps(home) == left, text  # the last one's layer is an image's
    assert build(home, "e", "")[0] == out  # and is found again


def test_a_limit_that_is_none_is_said_before_anything_is_built(home: Home) -> None:
    out, err, code = build(home, "a", "much")
    assert (out, code) == ("", 1)
    assert err.startswith("Error: MILLE_BUILD_CACHE: invalid size 'much'\n")
    assert home.mille("image", "ls", "-q")[0] == ""


def test_it_is_done_once_an_hour(home: Home) -> None:
    build(home, "a", "")
    stamp = home.store / "build" / "tended"
    first = stamp.stat().st_mtime_ns
    build(home, "b", "")
    assert stamp.stat().st_mtime_ns == first
    os.utime(stamp, (time.time() - 3601,) * 2)
    build(home, "c", "")
    assert stamp.stat().st_mtime_ns > first


def test_cache_mounts_nobody_used_for_two_days_go_down_to_their_share(home: Home) -> None:
    build(home, "a", "")
    mounts = home.store / "build" / "cache-mounts"
    now = time.time()
    for name, age, megabytes in (("a", 3, 200), ("b", 4, 200), ("c", 1, 200)):
        (mounts / name / "0").mkdir(parents=True)
        (mounts / name / "id").write_text(name)
        (mounts / name / "0.lock").touch()
        with (mounts / name / "0" / "f").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, megabytes << 20)
        os.utime(mounts / name / "0.lock", (now - age * 86400,) * 2)
    os.utime(home.store / "build" / "tended", (0, 0))
    build(home, "b", "")
    assert sorted(path.name for path in mounts.iterdir() if path.is_dir()) == ["a", "c"]
