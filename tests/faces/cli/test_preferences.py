"""Docker's config.json where it is no such file: lists warn and go on, as Docker does."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "text": (lambda path: path.write_text("{"), "parsing config file ({}): not valid JSON"),
    "bytes": (lambda path: path.write_bytes(b"\xff"), "parsing config file ({}): not valid JSON"),
    "deep": (lambda path: path.write_text("[" * 200_000), "parsing config file ({}): not valid JSON"),
    "directory": (lambda path: path.mkdir(), "loading config file: open {}: is a directory"),
    "pipe": (os.mkfifo, "loading config file: open {}: not a regular file"),
    "large": (lambda path: _grow(path, 3 << 30), "loading config file: open {}: file too large"),
}


def _grow(path: Path, size: int) -> None:
    path.touch()
    os.truncate(path, size)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file(home: Home, kind: str) -> None:
    make, words = BROKEN[kind]
    home.config.parent.mkdir(exist_ok=True)
    home.config.unlink(missing_ok=True)
    make(home.config)
    warning = f"WARNING: Error {words.format(home.config)}\n"
    for command in (["images"], ["ps"], ["volume", "ls"], ["network", "ls"]):
        out, err, code = home.mille(*command)
        assert (bool(out), err, code) == (True, warning, 0), command
    # What it might have kept would be gone.
    assert home.mille("image", "prune", "-f") == ("", warning, 1)
    _, err, code = home.mille("logout", "example.com")
    assert (str(home.config) in err, code) == (True, 0)


def test_a_format_of_its_own(home: Home) -> None:
    home.config.parent.mkdir(exist_ok=True)
    home.config.write_text('{"networksFormat": "{{.Name}}"}')
    assert home.mille("network", "ls") == ("bridge\nhost\nnone\n", "", 0)
