from __future__ import annotations

from pathlib import Path

import pytest
from tests.faces.cli.home import Home

from millefeuille.faces.cli.epoch import read_epoch
from millefeuille.faces.cli.exits import Refusal


@pytest.mark.parametrize(("text", "epoch"), [("", None), ("0", 0), ("253402300799", 253_402_300_799)])
def test_it_is_read(text: str, epoch: int | None) -> None:
    assert read_epoch(text) == epoch


@pytest.mark.parametrize("text", ["-1", "1.5", "x", "253402300800", "9" * 5000, "\u0661"])
def test_what_no_image_can_say(text: str) -> None:
    with pytest.raises(Refusal, match=f"^invalid SOURCE_DATE_EPOCH: {text}$"):
        read_epoch(text)


def test_builds_refuse_it(home: Home, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    late = "253402300800"
    refused = f"invalid SOURCE_DATE_EPOCH: {late}\n"
    assert home.mille("build", str(tmp_path), environment={"SOURCE_DATE_EPOCH": late}) == ("", refused, 1)
    words = ("build", "--build-arg", f"SOURCE_DATE_EPOCH={late}", str(tmp_path))
    assert home.mille(*words) == ("", refused, 1)
    answer = home.mille("build", "--timestamp", late, str(tmp_path))
    assert answer == ("", f"invalid --timestamp: {late}\n", 1)
