"""SOURCE_DATE_EPOCH as an argument, and as a default of the Dockerfile."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.build.places import Place

from millefeuille.build.dockerfile.errors import DockerfileError
from millefeuille.build.dockerfile.parser import parse
from millefeuille.build.epoch import argument_epoch
from millefeuille.errors import Invalid

EARLY = "ARG SOURCE_DATE_EPOCH=1111111111\nFROM scratch\n"
FOUND = (
    ("FROM scratch\n", {}, None),
    ("FROM scratch\n", {"SOURCE_DATE_EPOCH": "5"}, 5),
    (EARLY, {}, 1_111_111_111),
    (EARLY, {"SOURCE_DATE_EPOCH": "5"}, 5),
    (EARLY, {"SOURCE_DATE_EPOCH": ""}, None),
    ("ARG A=1\nARG B=2 SOURCE_DATE_EPOCH=$A$B\nFROM scratch\n", {}, 12),
    ("ARG SOURCE_DATE_EPOCH\nFROM scratch\n", {}, None),
    ("ARG SOURCE_DATE_EPOCH=\nFROM scratch\n", {}, None),
    ("FROM scratch\nARG SOURCE_DATE_EPOCH=5\n", {}, None),
)


@pytest.mark.parametrize(("text", "arguments", "expected"), FOUND)
def test_the_argument_else_the_default(text: str, arguments: dict[str, str], expected: int | None) -> None:
    assert argument_epoch(parse(text.encode()), arguments, {}) == expected


@pytest.mark.parametrize("value", ["-1", "x", "253402300800", "9" * 5000, "\u0661"])
def test_what_is_no_time(value: str) -> None:
    with pytest.raises(Invalid, match=f"^invalid SOURCE_DATE_EPOCH: {value}$"):
        argument_epoch(parse(EARLY.encode()), {"SOURCE_DATE_EPOCH": value}, {})
    text = f"# a comment\nARG SOURCE_DATE_EPOCH={value}\nFROM scratch\n"
    with pytest.raises(DockerfileError, match=f"^Dockerfile:2: invalid SOURCE_DATE_EPOCH: {value}$"):
        argument_epoch(parse(text.encode()), {}, {})


def test_the_default_holds_for_layers_and_image(tmp_path: Path) -> None:
    ids = set()
    for name in ("one", "two"):
        place = Place(tmp_path / name)
        place.write({"a": "1"})
        made = place.build(f"{EARLY}WORKDIR /w\nCOPY a .\n")
        ids.add(made.id)
        with place.tree(made) as tree:
            found = tree.find(b"w/a")
            assert found is not None
            assert found.entry.mtime == 1_111_111_111
        assert {entry.created for entry in made.history} == {"2005-03-18T01:58:31Z"}
    assert len(ids) == 1
