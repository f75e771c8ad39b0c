"""Dockerfiles that no other builder at hand knows, against trees and configs written by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from tests.walks.building.base import NAME, PATH
from tests.walks.building.builders import Builder, Refused
from tests.walks.building.case import Case
from tests.walks.building.context import write
from tests.walks.building.expectation import Expected, told, wanted
from tests.walks.building.expected import adding, copying, documents, running
from tests.walks.building.image import Image, Tree
from tests.walks.building.playing import bench
from tests.walks.building.wares import served

from millefeuille.testing.images import MadeImage

pytestmark = pytest.mark.walk

CASES: Final[list[Expected]] = [
    case for table in (copying, documents, running, adding) for case in table.CASES
]


@dataclass
class Yard:
    """Our builder, the base's tree, and a server of the files below `directory`."""

    ours: Builder
    base: Tree
    directory: Path
    url: str


@pytest.fixture(scope="module")
def yard(busybox: MadeImage, containers: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    directory = tmp_path_factory.mktemp("expected")
    with bench(directory, busybox, ()) as crew, served(directory) as url:
        plain = Expected(name="base", dockerfile=f"FROM {NAME}\n")
        base = _build(crew["mille"], directory / "base", plain, "")
        assert isinstance(base, Image)
        yield Yard(crew["mille"], base.tree, directory, url)


def _marked(case: Expected) -> object:
    marks = [pytest.mark.xfail(reason=case.open)] if case.open else []
    return pytest.param(case, id=case.name, marks=marks)


@pytest.mark.parametrize("case", map(_marked, CASES))
def test_expected(case: Expected, yard: Yard) -> None:
    made = _build(yard.ours, yard.directory / case.name, case, f"{yard.url}/{case.name}")
    if case.fails:
        assert isinstance(made, Refused), told(made.tree, {})
        assert case.fails in made.words
        assert "Traceback" not in made.words
        return
    assert isinstance(made, Image), made.words
    base = yard.base if "bin/busybox" in made.tree else {}
    assert told(made.tree, base) == wanted(case.tree)
    for key, value in case.config.items():
        found = made.config.get(key)
        assert ([one for one in found if one != PATH] if key == "Env" else found) == value, key


def test_the_tables() -> None:
    assert [name for name, count in Counter(case.name for case in CASES).items() if count > 1] == []
    assert len(CASES) >= 50


def _build(ours: Builder, context: Path, case: Expected, url: str) -> Image | Refused:
    def filled(text: str) -> str:
        return text.replace("{context}", str(context)).replace("{url}", url)

    plain = Case(
        name=case.name, dockerfile="", arguments=case.arguments, options=tuple(map(filled, case.options))
    )
    write(context, {"Dockerfile": filled(case.dockerfile.removeprefix("\n")), **case.files})
    return ours.play(plain, context, f"expected-{case.name}")

