from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.store.memory import Memory, brought, layer

from millefeuille.faces.cli.main import main
from millefeuille.store.store import Store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with one image, and the command's own."""
    memory = Memory()
    memory.add("1", [layer(1)])
    store = Store(str(tmp_path / "store"))
    brought(store, memory, "app:1")
    monkeypatch.setenv("MILLE_ROOT", store.disk.root)
    return store


def _rot(path: str) -> None:
    os.chmod(path, 0o600)
    with open(path, "r+b") as file:
        file.write(b"?")


CLEAN = "1 images, 1 layers, 3 blobs, 0 bytes of nobody's: no problems\n"


def test_clean(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    for words in ([], ["--data"], ["--repair"], ["--data", "--repair"]):
        assert main(["system", "check", *words]) == 0
        assert capfd.readouterr() == (CLEAN, "")


def test_problems_that_can_be_mended(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    _rot(store.disk.tar(layer(1).diff_id))
    assert main(["system", "check"]) == 0
    capfd.readouterr()
    line = f"layer {layer(1).diff_id}: its tar does not match the diff ID\n"
    found = line + "1 images, 1 layers, 3 blobs, 0 bytes of nobody's: 1 problem\n"
    assert main(["system", "check", "--data"]) == 3
    assert capfd.readouterr() == (found, "")
    assert main(["system", "check", "--data", "--repair"]) == 4
    assert capfd.readouterr().out == f"{found}made layer {layer(1).diff_id} again from its blob\n{CLEAN}"
    assert main(["system", "check", "--data"]) == 0


def test_problems_that_only_a_pull_heals(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    blob = layer(1).descriptor().digest
    _rot(store.disk.blob(blob))
    assert main(["system", "check", "--data", "--repair"]) == 3
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == f"blob {blob}: does not match its digest"
    assert lines[2].startswith(f"lost: blob {blob} is damaged, moved to {store.disk.lost}/")
    assert lines[3] == f"blob {blob}: missing"


def test_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MILLE_ROOT", str(tmp_path / "none"))
    assert main(["system", "check"]) == 1
    assert capfd.readouterr() == ("", f"Error: {tmp_path}/none: no store here\n")
    assert os.listdir(tmp_path) == []


def test_a_store_that_is_open_to_others(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    root = store.disk.root
    os.chmod(root, 0o755)
    assert main(["system", "check"]) == 3
    line = f"root {root}: its mode is 0755 instead of 0700: other users get in\n"
    found = line + CLEAN.replace("no problems", "1 problem")
    assert capfd.readouterr() == (found, "")
    assert main(["system", "check", "--repair"]) == 4
    assert capfd.readouterr() == (f"{found}closed {root} to other users\n{CLEAN}", "")
