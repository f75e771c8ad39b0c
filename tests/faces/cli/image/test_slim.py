"""`mille image slim`."""

from __future__ import annotations

import pytest
from tests.faces.cli.home import Home


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        (f"bb@sha256:{'0' * 64}", "refusing to create a tag with a digest reference"),
        ("sha256:latest", "refusing to create an ambiguous tag using digest algorithm as name"),
    ],
)
def test_a_name_that_no_image_can_have_is_refused(home: Home, name: str, complaint: str) -> None:
    out, err, code = home.mille("image", "slim", "one", "-t", name)
    assert (out, err, code) == ("", f"{complaint}\n", 1)


@pytest.mark.parametrize("flag", ["--tag", "--base"])
def test_an_empty_name_is_none_left_out(home: Home, flag: str) -> None:
    assert home.mille("image", "slim", "one", flag, "") == ("", "invalid reference format\n", 1)
