"""The same document, whoever works it out: this process alone, or with another beside it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.analysis.conftest import write_archive
from tests.analysis.stacks import stack

from millefeuille.engine import analysis
from millefeuille.engine.archives import in_archive
from millefeuille.settings import settle
from millefeuille.testing import rawtars


def told(archive: Path, home: Path) -> tuple[bytes, bytes]:
    """The whole document, and that without the files of the layers."""
    settings = settle({}, uid=os.getuid(), home=str(home), root=str(home / "store"))
    found = in_archive(settings, str(archive))
    return b"".join(found.json()), json.dumps(found.document, separators=(",", ":")).encode()


def both(archive: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What both ways come to, which has to be the same; without the files of the layers."""
    monkeypatch.setattr(analysis, "_WORTH", 0)
    monkeypatch.setattr(analysis, "helpers", lambda: 0)
    whole, rest = told(archive, home)
    monkeypatch.setattr(analysis, "helpers", lambda: 1)
    assert told(archive, home) == (whole, rest)
    found: dict[str, object] = json.loads(whole)
    layers = found["layers"]
    assert isinstance(layers, list)
    for layer in layers:
        del layer["files"]
    assert found == json.loads(rest)
    return found


@pytest.mark.parametrize("seed", range(60))
def test_random_stacks(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = list(dict.fromkeys(stack(seed, deepest=5)))
    if layers:
        write_archive(tmp_path / "image.tar", layers)
        both(tmp_path / "image.tar", tmp_path, monkeypatch)


@pytest.mark.parametrize("last", [b"more", b"a/1"])
def test_copies_in_a_stack_of_many_layers(
    last: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [b"a/%d" % number for number in range(8)]
    layers = [
        rawtars.archive(rawtars.file(name, b"the same"), rawtars.file(b"o/\xff" + name[2:], b"another"))
        for name in names
    ]
    # Either all files are alive, or one of the equal ones is dead.
    write_archive(tmp_path / "image.tar", [*layers, rawtars.archive(rawtars.file(last, b"x"))])
    found = both(tmp_path / "image.tar", tmp_path, monkeypatch)
    copies = found["copies"]
    assert isinstance(copies, list)
    gone = last == b"a/1"
    assert [(one["extraBytes"], len(one["places"])) for one in copies] == (
        [(49, 8), (48, 7)] if gone else [(56, 8), (49, 8)]
    )
    assert copies[0 if gone else 1]["places"][3] == {"layer": 3, "path": "o/\udcff3"}
