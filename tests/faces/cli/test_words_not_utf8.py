"""Words of the command line that are not UTF-8: documents have U+FFFD there, and no object is called so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.faces.cli.home import Home

from millefeuille.testing import rawtars

WORD = "x\udcff\udcfey"
SHOWN = "x\ufffd\ufffdy"


@pytest.fixture
def layer(tmp_path: Path) -> str:
    path = tmp_path / "layer.tar"
    path.write_bytes(rawtars.archive(rawtars.file(b"a", b"1")))
    return str(path)


def test_a_message(home: Home, layer: str) -> None:
    assert home.mille("import", "-m", WORD, layer, "one")[1:] == ("", 0)
    assert home.mille("inspect", "-f", "{{.Comment}}", "one") == (f"{SHOWN}\n", "", 0)


def test_what_a_build_is_told(home: Home, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nARG C\nENV E=$C\n")
    told = ("--label", f"A={WORD}", "--annotation", f"B={WORD}", "--build-arg", f"C={WORD}")
    metadata = tmp_path / "told.json"
    words = ("build", "-q", "-t", "one", "--provenance", "mode=max", "--metadata-file", str(metadata))
    assert home.mille(*words, *told, str(tmp_path))[1:] == ("", 0)
    config = json.loads(home.mille("inspect", "-f", "{{json .Config}}", "one")[0])
    assert (config["Labels"], config["Env"][-1]) == ({"A": SHOWN}, f"E={SHOWN}")
    assert json.loads(metadata.read_text())


@pytest.mark.parametrize("command", ["inspect", "stop", "rm", "logs", "top", "wait", "diff"])
def test_no_container_is_called_so(home: Home, layer: str, command: str) -> None:
    home.mille("import", layer, "one")
    _, err, code = home.mille(command, WORD)
    assert (err.startswith("Error: No such"), code) == (True, 1)
