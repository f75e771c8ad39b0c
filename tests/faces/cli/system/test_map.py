"""`mille system map`."""

from __future__ import annotations

import json
import random
from pathlib import Path

from tests.analysis.conftest import write_archive
from tests.faces.cli.home import Home

from millefeuille.testing import rawtars


def _file(name: str, size: int) -> bytes:
    return rawtars.file(name.encode(), random.Random(name).randbytes(size))


def test_the_map_of_a_store(home: Home, tmp_path: Path) -> None:
    base = rawtars.archive(_file("lib", 9000), _file("bin", 1000))
    images = {
        "one": [base, rawtars.archive(_file("app", 500))],
        "two": [base, rawtars.archive(_file("web", 600))],
        # The same files in a layer of its own, with one more.
        "three": [rawtars.archive(_file("lib", 9000), _file("bin", 1000), _file("new", 1100))],
        "far": [rawtars.archive(_file("other", 4000))],
    }
    for name, layers in images.items():
        write_archive(tmp_path / "image.tar", layers, [f"RUN {name} {n}" for n in range(len(layers))], name)
        assert home.mille("load", "-i", str(tmp_path / "image.tar"))[2] == 0
    out, err, code = home.mille("system", "map", "--json")
    assert (err, code) == ("", 0)
    found = json.loads(out)
    assert (found["images"], found["storedBytes"]) == (4, 10000 + 500 + 600 + 11100 + 4000)
    assert found["withoutSharingBytes"] == found["storedBytes"] + 10000
    assert found["repeatedBytes"] == 10000
    (shared,) = found["sharedLayers"]
    assert (shared["sizeBytes"], sorted(shared["images"])) == (10000, ["one:latest", "two:latest"])
    (near,) = found["nearLayers"]
    assert (near["commonBytes"], round(near["likeness"], 3)) == (10000, 0.901)
    assert [(one["path"], one["extraBytes"]) for one in found["repeatedFiles"]] == [
        ("lib", 9000),
        ("bin", 1000),
    ]
    (common,) = found["commonBases"]
    assert common["images"] == ["one:latest", "three:latest", "two:latest"]
    assert (common["sizeBytes"], common["savedBytes"]) == (10000, 10000)
    assert found["pruneBytes"] == {"dangling": 0, "unused": found["storedBytes"]}
    text = home.mille("system", "map")[0]
    assert "A COMMON BASE OF" in text
    assert "90.1%" in text
    assert len(json.loads(home.mille("images", "--format", "json")[0].splitlines()[0])) > 3  # all still there


def test_a_file_that_is_there_often_makes_no_likeness(home: Home, tmp_path: Path) -> None:
    often = [rawtars.file(f"copy{number}".encode(), b"x" * 5000) for number in range(50)]
    for name, layers in {
        "once": [rawtars.archive(rawtars.file(b"x", b"x" * 5000), _file("small", 10))],
        "often": [rawtars.archive(*often)],
        "twice": [rawtars.archive(_file("lib", 3000)), rawtars.archive(_file("lib", 3000), _file("b", 1))],
    }.items():
        write_archive(tmp_path / "image.tar", layers, [f"RUN {name} {n}" for n in range(len(layers))], name)
        assert home.mille("load", "-i", str(tmp_path / "image.tar"))[2] == 0
    found = json.loads(home.mille("system", "map", "--json")[0])
    # Only those of `twice`; and an image on its own has no base to gain from.
    assert [one["commonBytes"] for one in found["nearLayers"]] == [3000]
    assert [one["images"] for one in found["commonBases"]] == [["often:latest", "once:latest"]]
    assert [(one["sizeBytes"], one["savedBytes"]) for one in found["commonBases"]] == [(5000, 5000)]


def test_copies_within_layers_are_repeated_as_often_as_they_are_in_common(home: Home, tmp_path: Path) -> None:
    copies = [rawtars.file(f"copy{number}".encode(), b"x" * 5000) for number in range(3)]
    for name in ("one", "two"):
        layer = rawtars.archive(*copies, _file(name, 10))
        write_archive(tmp_path / "image.tar", [layer], ["RUN x"], name)
        assert home.mille("load", "-i", str(tmp_path / "image.tar"))[2] == 0
    found = json.loads(home.mille("system", "map", "--json")[0])
    assert [one["commonBytes"] for one in found["nearLayers"]] == [15000]
    assert [one["savedBytes"] for one in found["commonBases"]] == [15000]
    assert found["repeatedBytes"] == 15000
    assert [one["extraBytes"] for one in found["repeatedFiles"]] == [15000]


def test_a_name_has_an_image_for_each_platform(home: Home, tmp_path: Path) -> None:
    (tmp_path / "lib").write_bytes(random.Random(1).randbytes(9000))
    (tmp_path / "Dockerfile").write_text("FROM scratch\nARG TARGETARCH\nCOPY lib /lib-$TARGETARCH\n")
    platforms = ["--platform", "linux/amd64,linux/arm64"]
    assert home.mille("build", "-q", *platforms, "-t", "multi", str(tmp_path))[2] == 0
    found = json.loads(home.mille("system", "map", "--json")[0])
    assert (found["images"], found["storedBytes"], found["repeatedBytes"]) == (2, 18000, 9000)
    (common,) = found["commonBases"]
    assert common["images"] == ["multi:latest (linux/amd64)", "multi:latest (linux/arm64)"]


def test_many_names_are_cut(home: Home, tmp_path: Path) -> None:
    base = rawtars.archive(_file("lib", 9000))
    for number in range(7):
        layers = [base, rawtars.archive(_file(f"app{number}", 10))]
        write_archive(tmp_path / "image.tar", layers, ["RUN base", f"RUN {number}"], f"i{number}")
        assert home.mille("load", "-i", str(tmp_path / "image.tar"))[2] == 0
    assert "and 3 more\n" in home.mille("system", "map")[0]
    assert "more\n" not in home.mille("system", "map", "--no-trunc")[0]


def test_the_map_of_nothing(home: Home) -> None:
    assert home.mille("system", "map")[0].startswith("Images:              0\n")
    assert json.loads(home.mille("system", "map", "--json")[0])["sharedLayers"] == []
