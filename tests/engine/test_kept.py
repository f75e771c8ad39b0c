"""Kept analyses: what is there, and what goes."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from millefeuille import files
from millefeuille.engine import kept
from millefeuille.engine.kept import Kept
from millefeuille.oci.digest import Digest

CHAIN = Digest.of(b"chain")


def test_the_newest_stay_though_others_vanish_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_MAXIMUM_FILES", 2)
    directory = tmp_path / "analysis"
    directory.mkdir()
    for n in range(4):
        (directory / f"gone-{n}").symlink_to("nowhere")  # listed, and then not found
    for n in range(4):
        Kept(str(tmp_path), CHAIN, str(n)).put("head", [b"te", b"xt"])
    last = Kept(str(tmp_path), CHAIN, "3").get("head")
    assert last is not None and bytes(last) == b"text"
    assert len([path for path in directory.iterdir() if path.is_file()]) == 2


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "write", fail)
    Kept(str(tmp_path), CHAIN, "").put("head", [b"text"])
    assert list((tmp_path / "analysis").iterdir()) == []
