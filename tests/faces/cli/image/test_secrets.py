"""`mille image secrets`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tests.analysis.conftest import write_archive
from tests.faces.cli.home import Home

from millefeuille.testing import rawtars

TOKEN = b"gh" + b"p_" + b"aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3"


def _load(home: Home, tmp_path: Path, *layers: bytes, commands: tuple[str, ...] = ()) -> None:
    write_archive(tmp_path / "image.tar", layers, commands)
    assert home.mille("load", "-i", str(tmp_path / "image.tar"))[2] == 0


def test_a_deleted_secret_is_found_with_proof(home: Home, tmp_path: Path) -> None:
    lower = rawtars.archive(rawtars.file(b"a", b"a" * 10), rawtars.file(b"token", b"t=" + TOKEN + b"\n"))
    _load(home, tmp_path, lower, rawtars.archive(rawtars.file(b".wh.token")))
    out, err, code = home.mille("image", "secrets", "--json", "random")
    assert (err, code) == ("", 1)
    assert TOKEN.decode() not in out
    (found,) = json.loads(out)["findings"]
    assert (found["kind"], found["path"], found["live"]) == ("github-token", "token", False)
    assert (found["layer"], found["hiddenByLayer"], found["recoverable"]) == (0, 1, True)
    # The proof holds: these bytes lie where they are said to lie.
    assert found["diffId"] == f"sha256:{hashlib.sha256(lower).hexdigest()}"
    assert lower[found["offset"] :][: found["lengthBytes"]] == TOKEN
    text, _, code = home.mille("image", "secrets", "random")
    assert code == 1
    assert "recoverable (hidden by layer 1)" in text
    assert TOKEN.decode() not in text


def test_the_step_that_wrote_a_secret_does_not_show_it(home: Home, tmp_path: Path) -> None:
    netrc = b"machine a login b password hunter22"
    layer = rawtars.archive(rawtars.file(b"g", TOKEN), rawtars.file(b"root/.netrc", netrc))
    command = f"/bin/sh -c echo {TOKEN.decode()} > /g; echo {netrc.decode()} > ~/.netrc"
    _load(home, tmp_path, layer, commands=(command,))
    out, err, code = home.mille("image", "secrets", "--json", "random")
    assert (err, code) == ("", 1)
    assert {found["createdBy"] for found in json.loads(out)["findings"] if found["layer"] == 0} == {
        "/bin/sh -c echo ghp_… (40 characters) > /g; "
        "echo machine a login b password hu… (8 characters) > ~/.netrc"
    }
    assert TOKEN.decode() not in out
    assert "hunter22" not in out


def test_an_image_without_secrets(home: Home, tmp_path: Path) -> None:
    _load(home, tmp_path, rawtars.archive(rawtars.file(b"a", b"a" * 10)))
    assert home.mille("image", "secrets", "random") == ("No secrets found\n", "", 0)


def test_an_image_that_is_not_there(home: Home) -> None:
    assert home.mille("image", "secrets", "nothing")[2] == 2
