"""`tag`, and what docker 28.2.2 refuses before it asks anyone."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faces.cli.home import Home

ZEROS = "0" * 64


@pytest.fixture
def image(home: Home, tmp_path: Path) -> str:
    (tmp_path / "empty.tar").write_bytes(bytes(10240))
    return home.mille("import", str(tmp_path / "empty.tar"), "x")[0].strip()


def test_names_and_ids_are_sources(home: Home, image: str) -> None:
    digits = image.removeprefix("sha256:")
    for number, source in enumerate(("x", "x:latest", image, digits, digits[:12])):
        assert home.mille("tag", source, f"y:{number}") == ("", "", 0)
    assert home.mille("image", "inspect", "-f", "{{len .RepoTags}}", "y:0") == ("6\n", "", 0)


@pytest.mark.parametrize(
    ("source", "target", "complaint"),
    [
        ("x", "Bad/Name",
         'Error parsing reference: "Bad/Name" is not a valid repository/tag: invalid reference format: '
         "repository name (Name) must be lowercase"),
        ("BAD", "y",
         'Error parsing reference: "BAD" is not a valid repository/tag: invalid reference format: '
         "repository name (library/BAD) must be lowercase"),
        ("x", "", 'Error parsing reference: "" is not a valid repository/tag: invalid reference format'),
        ("x", f"y@sha256:{ZEROS}", "refusing to create a tag with a digest reference"),
        ("nosuch", f"y@sha256:{ZEROS}", "refusing to create a tag with a digest reference"),
        ("x", "sha256:abc", "Error: refusing to create an ambiguous tag using digest algorithm as name"),
        ("nosuch", "y", "Error: No such image: nosuch:latest"),
        (f"sha256:{ZEROS}", "y", f"Error: No such image: sha256:{ZEROS}"),
    ],
)  # fmt: skip
def test_refusals(home: Home, image: str, source: str, target: str, complaint: str) -> None:
    assert home.mille("tag", source, target) == ("", f"{complaint}\n", 1)
