"""Dockerfiles that no other builder at hand knows, against trees and configs written by hand.

A fixed slice of them is built unless MILLE_ALL=1.
"""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest
from tests.walks.building.base import NAME, PATH
from tests.walks.building.builders import Builder, Refused
from tests.walks.building.case import Case
from tests.walks.building.context import write
from tests.walks.building.expectation import Expected, told, wanted
from tests.walks.building.expected import adding, copying, documents, running
from tests.walks.building.image import Image
from tests.walks.building.playing import bench, everything
from tests.walks.building.wares import served

from millefeuille.testing.images import MadeImage

pytestmark = pytest.mark.walk

SLICE: Final = 25
BASE: Final = "nothing-but-the-base"
CASES: Final[list[Expected]] = [
    case for table in (copying, documents, running, adding) for case in table.CASES
]


Made = dict[str, Image | Refused]


def chosen() -> list[Expected]:
    """All cases, or a fixed slice of them."""
    return CASES if everything() else random.Random(4).sample(CASES, SLICE)


def _marked(case: Expected) -> object:
    marks = [pytest.mark.xfail(reason=case.open)] if case.open else []
    return pytest.param(case, id=case.name, marks=marks)


@pytest.fixture(scope="module")
def made(busybox: MadeImage, containers: None, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """What comes of each case, and of nothing but the base; two builds at a time."""
    directory = tmp_path_factory.mktemp("expected")
    cases = [Expected(name=BASE, dockerfile=f"FROM {NAME}\n"), *chosen()]
    with bench(directory, busybox, ()) as crew, served(directory) as url, ThreadPoolExecutor(2) as pool:

        def build(case: Expected) -> Image | Refused:
            return _build(crew["mille"], directory / case.name, case, f"{url}/{case.name}")

        return dict(zip((case.name for case in cases), pool.map(build, cases), strict=True))


@pytest.mark.parametrize("case", [_marked(case) for case in chosen()])
def test_expected(case: Expected, made: Made) -> None:
    base, image = made[BASE], made[case.name]
    assert isinstance(base, Image)
    if case.fails:
        assert isinstance(image, Refused), told(image.tree, {})
        assert case.fails in image.words
        assert "Traceback" not in image.words and "internal error" not in image.words
        return
    assert isinstance(image, Image), image.words
    assert told(image.tree, base.tree if "bin/busybox" in image.tree else {}) == wanted(case.tree)
    for key, value in case.config.items():
        found: Any = image.config.get(key)
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

