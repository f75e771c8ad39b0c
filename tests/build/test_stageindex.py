"""COPY --from with the number of a stage."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.build.places import Place

from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.stageindex import stage_index
from millefeuille.engine.build import Tree
from millefeuille.errors import NotFound


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("0", 0), ("12", 12), ("007", 7), ("+1", 1), ("-1", -1), ("-0", 0), ("9" * 20, None), ("", None),
        ("-", None), ("1a", None), ("one", None), ("1_0", None), (" 1", None), ("\u0661", None),
    ],
)  # fmt: skip
def test_what_is_a_number(name: str, number: int | None) -> None:
    assert stage_index(name) == number


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A store, and a context with a file."""
    made = Place(tmp_path)
    made.write({"a": "1"})
    return made


@pytest.mark.parametrize(("name", "told"), [("2", "2"), ("5", "5"), ("+5", "5"), ("-1", "-1")])
def test_a_number_that_no_stage_has_is_refused_before_any_step(place: Place, name: str, told: str) -> None:
    text = f"FROM scratch AS one\nCOPY a /\nCOPY --from={name} a /\nFROM scratch\nCOPY a /\n"
    with pytest.raises(DockerfileError, match=f"^Dockerfile:3: invalid stage index {told}$"):
        place.build(text)
    assert place.watching.events == []


def test_a_trigger_of_a_base_image_too(place: Place) -> None:
    place.build("FROM scratch\nONBUILD COPY --from=5 a /\n", tags=["base:1"])
    with pytest.raises(DockerfileError, match=r"^Dockerfile:2: invalid stage index 5$"):
        place.build("# a comment\nFROM base:1\n")


def test_a_named_context_may_be_called_by_a_number(place: Place) -> None:
    made = place.build(
        "FROM scratch\nCOPY --from=5 a /b\n", contexts={"5": Tree(path=str(place.context))}
    )  # fmt: skip
    assert place.read(made, "b") == "1"


def test_a_sign_does_not_matter(place: Place) -> None:
    made = place.build("FROM scratch\nCOPY a /b\nFROM scratch\nCOPY --from=+0 b /c\n")
    assert place.read(made, "c") == "1"


def test_the_number_in_a_mount_is_an_image(place: Place) -> None:
    with pytest.raises(NotFound, match="no registry in this test"):
        place.build("FROM scratch\nRUN --mount=from=7,target=/m [\"/x\"]\n")
