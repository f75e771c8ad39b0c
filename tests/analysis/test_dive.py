"""Dive's score, against the real Dive and against what the specification measured with it."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from tests.analysis.conftest import Dive, write_archive
from tests.analysis.stacks import parsed, stack

from millefeuille.analysis import dive, gosort
from millefeuille.analysis.dive import Inefficiency
from millefeuille.testing import rawtars

SEEDS = 400 if os.environ.get("MILLE_ALL") else 40


def scored(*layers: bytes) -> dive.DiveScore:
    return dive.score([parsed(tar) for tar in layers])


def files(**sizes: int) -> bytes:
    return rawtars.archive(*(rawtars.file(path.encode(), b"x" * size) for path, size in sizes.items()))


BASE = files(base=1000)


def tree(*entries: tuple[str, int]) -> bytes:
    return rawtars.archive(*(rawtars.file(path.encode(), b"x" * size) for path, size in entries))


@pytest.mark.parametrize(
    ("layers", "efficiency", "wasted"),
    [
        ([tree(("d/a", 300), ("d/b", 700)), tree((".wh.d", 0))], 1.0, 0),
        ([tree(("a", 300), ("b", 700)), tree((".wh.a", 0))], 0.85, 300),
        ([tree(("p", 100)), tree(("p", 400)), tree(("p", 200))], 0.647059, 700),
        ([tree(("d/a", 300), ("d/b", 700)), tree(("d/.wh..wh..opq", 0), ("d/n", 50))], 1.0, 0),
        ([tree(("z", 500), ("k", 10)), tree((".wh.missing", 0), (".wh.z", 0))], 0.999338, 0),
        ([tree(("d/a", 1000)), tree(("d", 10))], 1.0, 0),
        ([tree(("a", 500)), tree((".wh.a", 0)), tree(("a", 200))], 0.588235, 700),
        ([tree(("r", 500)), tree((".wh.r", 0), ("r", 200))], 0.588235, 700),
    ],
)
def test_what_the_specification_measured(layers: list[bytes], efficiency: float, wasted: int) -> None:
    found = scored(BASE, *layers)
    assert (round(found.efficiency, 6), found.wasted) == (efficiency, wasted)


AUFS = [
    tree((".wh..wh.plnk", 0), ("a", 100)),
    tree(("z/.wh..wh.aufs", 0), ("a", 100), ("z/k", 30)),
    rawtars.archive(
        rawtars.directory(b"./b"), rawtars.file(b"./b/.wh..wh.orph"), rawtars.file(b"./b2", b"x" * 100)
    ),
    tree(("q/.wh..wh..what", 0), ("a", 100)),
]


@pytest.mark.parametrize(
    ("marks", "efficiency", "wasted"),
    list(zip(AUFS, (39 / 140, 39 / 240, 39 / 140, 40 / 240), (140, 240, 140, 240), strict=True)),
)
def test_notes_of_aufs_are_whiteouts_of_nothing(marks: bytes, efficiency: float, wasted: int) -> None:
    rest = rawtars.archive(rawtars.file(b"a", b"w" * 40), rawtars.directory(b"b"), rawtars.directory(b"q"))
    found = scored(files(a=100), marks, rest)
    assert (found.efficiency, found.wasted) == (efficiency, wasted)


@pytest.mark.walk
@pytest.mark.parametrize("marks", AUFS)
def test_notes_of_aufs_score_as_the_real_one_says(marks: bytes, real_dive: Dive, tmp_path: Path) -> None:
    compare([files(a=100), marks, files(a=40, q=3)], real_dive, tmp_path / "aufs.tar")


def test_the_list_is_largest_first_and_counts_each_time() -> None:
    found = scored(files(a=5, b=7), files(a=5, b=7), files(a=5))
    assert found.inefficiencies == (
        Inefficiency(path=b"a", count=3, size=15), Inefficiency(path=b"b", count=2, size=14),
    )  # fmt: skip
    assert (found.size, found.user_size) == (29, 17)
    assert found.user_wasted == 29 / 17


def test_an_image_with_one_layer_has_no_share() -> None:
    assert str(scored(BASE).user_wasted) == "nan"
    assert scored().efficiency == 1.0


def test_gos_order_sorts() -> None:
    chance = random.Random(1)
    for size in (0, 1, 12, 13, 49, 50, 200, 3000):
        for span in (1, 3, size + 1):
            keys = [chance.randrange(span) for _ in range(size)]
            placed = gosort.order(keys)
            assert sorted(placed) == list(range(size))
            assert [keys[place] for place in placed] == sorted(keys)


@pytest.mark.walk
@pytest.mark.long
@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_stacks_score_as_the_real_one_says(seed: int, real_dive: Dive, tmp_path: Path) -> None:
    layers = list(dict.fromkeys(stack(seed)))
    if not layers:
        pytest.skip("this seed makes an image without layers")
    compare(layers, real_dive, tmp_path / "image.tar")


@pytest.mark.walk
@pytest.mark.parametrize("count", [13, 51, 400, 5000])
def test_long_lists_come_in_the_order_of_the_real_one(count: int, real_dive: Dive, tmp_path: Path) -> None:
    chance = random.Random(count)
    sizes = [(f"d{n % 7}/f{chance.randrange(10**6)}-{n}", chance.randrange(4)) for n in range(count)]
    again = [(path, chance.randrange(4)) for path, _ in sizes]
    rising = [(path, place // 5) for place, (path, _) in enumerate(sorted(sizes))]
    compare([tree(*sizes), tree(*again)], real_dive, tmp_path / "chance.tar")
    compare([tree(*rising), tree(*rising[::-1], ("new", 1))], real_dive, tmp_path / "rising.tar")


def compare(layers: list[bytes], real_dive: Dive, archive: Path) -> None:
    write_archive(archive, layers)
    said = real_dive(archive)["image"]
    found = scored(*layers)
    assert (said["efficiencyScore"], said["inefficientBytes"], said["sizeBytes"]) == (
        found.efficiency, found.wasted, found.size,
    )  # fmt: skip
    assert [(each["count"], each["sizeBytes"], each["file"]) for each in said["fileReference"] or ()] == [
        (each.count, each.size, "/" + os.fsdecode(each.path)) for each in found.inefficiencies
    ]
