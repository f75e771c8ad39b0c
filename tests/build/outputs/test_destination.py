"""Where the file of a build may lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from millefeuille.build.outputs.destination import check_destination
from millefeuille.transfer.archive.output import BadOutput


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "out.tar").touch()
    (tmp_path / "link").symlink_to("out.tar")
    for name in ("new", "out.tar", "link"):
        check_destination(str(tmp_path / name))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nosuch/x", 'directory "/nosuch" does not exist'), ("/", '"/" is a directory'),
        ("/dev/null", '"/dev/null" must be a directory or a regular file'),
    ],
)  # fmt: skip
def test_no_file_can_be_there(path: str, words: str) -> None:
    with pytest.raises(BadOutput) as refused:
        check_destination(path)
    assert str(refused.value) == f"invalid output path: {words}"
