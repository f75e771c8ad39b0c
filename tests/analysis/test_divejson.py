"""Dive's JSON, held against what the real one writes of the same images."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.analysis.conftest import Dive, write_archive
from tests.analysis.stacks import stack

from millefeuille.engine.archives import in_archive
from millefeuille.settings import settle
from millefeuille.testing import rawtars


def ours(archive: Path, home: Path) -> dict[str, Any]:
    settings = settle({}, uid=os.getuid(), home=str(home), root=str(home / "store"))
    found: dict[str, Any] = json.loads(in_archive(settings, str(archive)).dive_json())
    return found


def without_marks(found: dict[str, Any]) -> dict[str, Any]:
    """The document without what an index does not have: a whiteout's mode and owner."""
    for layer in found["layer"]:
        for entry in layer["fileList"]:
            if ".wh." in entry["path"]:
                entry.update(uid=0, fileMode=0)
    return found


@pytest.mark.walk
@pytest.mark.long
@pytest.mark.parametrize("seed", range(1000, 1100 if os.environ.get("MILLE_ALL") else 1010))
def test_random_stacks_are_written_as_the_real_one_does(seed: int, real_dive: Dive, tmp_path: Path) -> None:
    layers = list(dict.fromkeys(stack(seed)))
    if not layers:
        pytest.skip("this seed makes an image without layers")
    archive = tmp_path / "image.tar"
    write_archive(archive, layers, [f"/bin/sh -c echo '<{n}>' && é" for n in range(len(layers))])
    assert without_marks(ours(archive, tmp_path)) == without_marks(real_dive(archive))


def test_children_stand_before_their_directory_whatever_byte_they_begin_with(tmp_path: Path) -> None:
    below = [b"a/\xff1", b"a/b", b"a/\xff/\xff\xff/x", b"a/\xff\xff", b"a/0"]
    names = [*below, b"a.b", b"a0", b"a", b"\xff\xff"]
    entries = [rawtars.directory(name) if name == b"a" else rawtars.file(name) for name in names]
    write_archive(tmp_path / "image.tar", [rawtars.archive(*entries)])
    found = ours(tmp_path / "image.tar", tmp_path)["layer"][0]["fileList"]
    # A directory that no entry names has no path here.
    assert [entry["path"].replace("\ufffd", "~") for entry in found] == [
        "a/0", "a/b", "a/~/~~/x", "", "", "a/~1", "a/~~", "a", "a.b", "a0", "~~"
    ]  # fmt: skip


def test_names_that_are_no_text_stand_where_the_real_one_has_them(real_dive: Dive, tmp_path: Path) -> None:
    names = [b"a/\xff1", b"a/b", b"a/\xff/\xff\xff/x", b"a/\xff\xff", b"a/0", b"a.b", b"a0", b"\xff\xff"]
    archive = tmp_path / "image.tar"
    write_archive(archive, [rawtars.archive(*map(rawtars.file, names))])
    assert ours(archive, tmp_path)["layer"][0]["fileList"] == real_dive(archive)["layer"][0]["fileList"]
