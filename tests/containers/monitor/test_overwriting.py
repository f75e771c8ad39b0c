"""A file that is written over: whole, or as it was."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from millefeuille.containers.monitor.overwriting import overwrite


def test_shorter_and_longer(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b'{"a": 1}')
    for data in (b"{}", b'{"a": "%s"}' % (b"x" * 9000), b"[1]"):
        overwrite(str(path), data)
        assert json.loads(path.read_bytes()) == json.loads(data)


def test_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        overwrite(str(tmp_path / "state.json"), b"{}")


def test_one_that_there_is_no_room_for_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b'{"a": 1}')

    def refuse(file: int, offset: int, size: int) -> None:
        os.ftruncate(file, size // 2)  # as much as there was room for
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    with pytest.raises(OSError, match="No space"):
        overwrite(str(path), b"[%s]" % (b"1," * 5000))
    assert path.read_bytes() == b'{"a": 1}'
