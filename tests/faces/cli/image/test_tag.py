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


def test_no_command_gives_a_name_that_hides_an_id(home: Home, image: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x\nLABEL a=b\n")
    name = image[: len("sha256:") + 12]
    refusal = "refusing to create an ambiguous tag using digest algorithm as name\n"
    assert home.mille("create", "--network", "none", "--name", "one", "x", "true")[2] == 0
    for words in (("commit", "one", name), ("import", "-", "sha256"), ("commit", "one", "sha256")):
        assert home.mille(*words) == ("", f"Error: {refusal}", 1), words
    assert home.mille("build", "-q", "-t", name, str(tmp_path)) == ("", refusal, 1)
    assert home.mille("image", "ls", "-aq", "--no-trunc")[0] == f"{image}\n"
    assert home.mille("rm", "one")[2] == 0
