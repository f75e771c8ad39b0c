"""`mille dive build`: what is built is analysed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faces.cli.home import Home

WASTEFUL = "FROM scratch\nCOPY big /a\nCOPY small /a\n"


@pytest.fixture
def context(tmp_path: Path) -> str:
    directory = tmp_path / "context"
    directory.mkdir()
    (directory / "Dockerfile").write_text(WASTEFUL)
    (directory / "big").write_bytes(b"b" * 100_000)
    (directory / "small").write_bytes(b"s")
    return str(directory)


def test_what_was_built_is_reported_on(home: Home, context: str) -> None:
    out, err, code = home.mille("dive", "build", "-q", "-t", "made", context)
    image = home.mille("image", "ls", "-q", "--no-trunc", "made")[0].strip()
    assert (err, code) == ("", 0)
    assert out.startswith(f"{image}\nImage:        {image}\n")
    assert "wasted 100kB" in out


def test_rules_hold_in_ci(home: Home, context: str) -> None:
    out, err, code = home.mille("dive", "build", "-q", context, environment={"CI": "true"})
    assert (err, code) == ("", 1)
    assert "FAIL: highestUserWastedPercent" in out


def test_a_build_that_fails_ends_it(home: Home, context: str) -> None:
    Path(context, "Dockerfile").write_text("FROM scratch\nCOPY none /\n")
    out, err, code = home.mille("dive", "build", "-q", context)
    assert (out, code) == ("", 1)
    assert '"/none": not found' in err


def test_without_an_image_there_is_nothing_to_look_at(home: Home, context: str) -> None:
    out, _, code = home.mille("dive", "build", "--check", context)
    assert (out, code) == ("Check complete, no warnings found.\n", 0)
