"""The members of JSON that pages list are those that commands print, all of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.conftest import write_archive
from tests.docs.pages import PAGES
from tests.faces.cli.home import Home

from millefeuille.testing import rawtars

_ROW = re.compile(r"^\| `([a-z]+(?: [a-z]+)*)(?: BUILD| --advise)?(?: --json)?` \| (.+) \|$", re.MULTILINE)
_FREE = ("before", "after", "inputs", "bases", "system")  # what these hold has any names
STATUS = b"Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n"


def listed(name: str, nth: int = 0) -> set[str]:
    """The members that the pages list for a command; the `nth` row that has its name."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    row = [words for command, words in _ROW.findall(text) if command == name][nth]
    return set(re.findall(r"`(\w+)`", row)) | {"schemaVersion"}


def members(document: Any) -> Iterator[str]:
    if isinstance(document, list):
        for each in document:
            yield from members(each)
    if isinstance(document, dict):
        for name, value in document.items():
            yield name
            if name not in _FREE:
                yield from members(value)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Someone with an image, and a build that made another of it."""
    found = Home(tmp_path)
    files = (rawtars.file(b"var/lib/dpkg/status", STATUS), rawtars.file(b"a", b"a"))
    write_archive(tmp_path / "image.tar", [rawtars.archive(*files)])
    told, _, _ = found.mille("load", "-q", "-i", str(tmp_path / "image.tar"))
    found.mille("tag", told.split()[-1], "one")
    (tmp_path / "Dockerfile").write_text("FROM one\nCOPY Dockerfile /\n")
    assert found.mille("build", "-t", "three", str(tmp_path))[2] == 0
    return found


def printed(home: Home, *words: str) -> set[str]:
    out, err, code = home.mille(*words)
    assert (code, err) == (0, "")
    texts = out.splitlines() if "--format" in words else [out]
    return {name for text in texts for name in members(json.loads(text))} | {"schemaVersion"}


def test_questions(home: Home) -> None:
    assert printed(home, "image", "diff", "one", "three", "--json") | {"kind"} == listed("image diff")
    assert printed(home, "image", "blame", "one", "/a", "--json") == listed("image blame")
    assert printed(home, "image", "packages", "one", "--json") == listed("image packages")


def test_advice(home: Home) -> None:
    # An image without waste has no advice, and nothing was verified.
    assert printed(home, "analyze", "--advise", "--json", "three") == listed("analyze") - {
        "kind", "text", "sizeBytes", "compressedBytes", "rebuiltBytes", "paths", "steps", "instruction",
        "line", "layer", "patch", "verified", "achievedBytes", "beforeBytes", "afterBytes", "differing",
        "varying", "hits",
    }  # fmt: skip


def test_builds(home: Home) -> None:
    assert printed(home, "build", "history", "--format", "json") == listed("build history")
    build = home.mille("build", "history", "-q")[0].split()[0]
    assert printed(home, "build", "history", "--format", "json", build) == listed("build history", 1)
    assert printed(home, "builder", "du", "--format", "json") == listed("builder du")
